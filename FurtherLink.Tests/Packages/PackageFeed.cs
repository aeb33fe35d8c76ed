using System.Diagnostics;
using System.Xml.Linq;
using FurtherLink.Tests.Readme;

namespace FurtherLink.Tests.Packages;

/// <summary>
/// The packages that .ci/packages has made, as somebody would use them: from a folder beside the configured sources, with a package cache of
/// their own, so that an older one of the same version is never met; all others come from the ordinary cache where they are there.
/// </summary>
/// <param name="packages">Where they are.</param>
/// <param name="folder">A folder outside the repository, for apps.</param>
internal sealed class PackageFeed(string packages, string folder)
{
    // Only a hang reaches it.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly XDocument Versions = XDocument.Load(Path.Combine(Example.Root, "Directory.Packages.props"));
    private static readonly XDocument Properties = XDocument.Load(Path.Combine(Example.Root, "Directory.Build.props"));

    /// <summary>The version of this source.</summary>
    public static string Version { get; } = Properties.Descendants("Version").Single().Value;

    /// <summary>Makes the packages known to all apps in the folder.</summary>
    public void Prepare() => File.WriteAllText(Path.Combine(folder, "nuget.config"), $"""
        <?xml version="1.0" encoding="utf-8"?>
        <configuration>
          <packageSources>
            <add key="made-here" value="{packages}" />
          </packageSources>
        </configuration>
        """);

    /// <summary>The command of a README that adds a package, told which version: of the many that there may be, the one that was made here.</summary>
    public static string Pin(string command)
    {
        var name = command.Split(' ')[^1];
        var version = name.StartsWith("FurtherLink", StringComparison.OrdinalIgnoreCase)
            ? Version
            : Versions.Descendants("PackageVersion").Single(one => one.Attribute("Include")!.Value == name).Attribute("Version")!.Value;
        return $"{command} --version {version}";
    }

    /// <summary>Runs a command in a folder to its end, which must be a good one.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> RunAsync(string directory, string command)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", $"exec 2>&1; {command}"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            WorkingDirectory = directory,
            Environment =
            {
                ["NUGET_PACKAGES"] = Path.Combine(folder, "packages"),
                ["NUGET_FALLBACK_PACKAGES"] = OrdinaryCache,
                // Nothing stays behind that has been started here.
                ["MSBUILDDISABLENODEREUSE"] = "1",
                ["UseSharedCompilation"] = "false",
            },
        })!;
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.That(process.ExitCode, Is.Zero, $"$ {command}\nprinted\n{output}");
        return output;
    }

    private static string OrdinaryCache => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
}
