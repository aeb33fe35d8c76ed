using System.Diagnostics;
using System.Reflection;

namespace FurtherLink.Tests.Readme;

/// <summary>Compiles a document's program against what the tests were built with, by the compiler alone, which takes a second or two.</summary>
internal static class ProgramCompiler
{
    private const string Name = "Example";

    private static readonly string[] Usings =
        ["System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Net.Http", "System.Threading", "System.Threading.Tasks"];

    private static readonly string[] WebUsings =
    [
        "System.Net.Http.Json", "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Http", "Microsoft.AspNetCore.Routing",
        "Microsoft.Extensions.Configuration", "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Hosting", "Microsoft.Extensions.Logging",
    ];

    /// <summary>Compiles it; a warning is a mistake.</summary>
    /// <returns>The command that runs it.</returns>
    public static async Task<IReadOnlyList<string>> CompileAsync(ProgramExample program, string folder)
    {
        program.Write(folder);
        File.WriteAllLines(Path.Combine(folder, "Usings.cs"), Usings.Concat(program.IsWeb ? WebUsings : []).Select(name => $"global using global::{name};"));

        // What it finds at run time lies beside it: the libraries. The rest is .NET's.
        foreach (var library in Directory.GetFiles(AppContext.BaseDirectory, "FurtherLink.*.dll").Where(path => !path.EndsWith("FurtherLink.Tests.dll", StringComparison.Ordinal)))
            File.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(library)), library);
        File.Copy(Path.ChangeExtension(typeof(ProgramCompiler).Assembly.Location, ".runtimeconfig.json"), Path.Combine(folder, Name + ".runtimeconfig.json"));

        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(':').Where(path => !path.StartsWith(AppContext.BaseDirectory, StringComparison.Ordinal))
            .Concat(Directory.GetFiles(folder, "*.dll")).Select(path => "-r:" + path);
        File.WriteAllLines(Path.Combine(folder, "arguments.rsp"), references.Concat(Directory.GetFiles(folder, "*.cs")).Select(word => $"\"{word}\""));
        var compiler = typeof(ProgramCompiler).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(one => one.Key == "Compiler").Value!;
        using var process = Process.Start(new ProcessStartInfo("dotnet", [compiler, "-nologo", "-nullable", "-warnaserror", "-target:exe", $"-out:{Name}.dll", "@arguments.rsp"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
        })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, $"{program}: {output}");
        return ["dotnet", Path.Combine(folder, Name + ".dll")];
    }
}
