using FurtherLink.Tests.Host;
using FurtherLink.Tests.Readme;

namespace FurtherLink.Tests.Packages;

/// <summary>
/// What the packages' READMEs say works for who has only the packages: new apps outside the repository, and the installed tool. Needs
/// packages, in the folder FURTHERLINK_PACKAGES; .ci/run makes them and runs this.
/// </summary>
[TestFixture]
[Category("Packages")]
internal sealed class FreshAppTests
{
    private TemporaryFolder _folder = null!;
    private PackageFeed _feed = null!;

    public static IEnumerable<string> Readmes => PackageReadmes.All.Where(readme => ProgramExample.Of(readme).Programs.Count > 0);

    [SetUp]
    public void Prepare()
    {
        if (Environment.GetEnvironmentVariable("FURTHERLINK_PACKAGES") is not { Length: > 0 } packages)
        {
            Assert.Ignore("there are no packages; .ci/run makes them and runs this");
            return;
        }

        _folder = new TemporaryFolder();
        _feed = new PackageFeed(Path.GetFullPath(packages), _folder.Path);
        _feed.Prepare();
    }

    [TearDown]
    public void CleanUp() => _folder?.Dispose();

    [TestCaseSource(nameof(Readmes))]
    public async Task Readme_OfPackage_WorksInANewApp(string readme)
    {
        var (programs, others) = ProgramExample.Of(readme);
        var directory = _folder.Path;
        foreach (var (command, _) in others.Where(example => example.Kind == "console").SelectMany(CommandLines.Of))
        {
            if (command.StartsWith("cd ", StringComparison.Ordinal))
                directory = Path.Combine(directory, command[3..]);
            else if (command.StartsWith("dotnet new ", StringComparison.Ordinal))
                await _feed.RunAsync(directory, command + " --no-restore");
            else if (command.StartsWith("dotnet add package ", StringComparison.Ordinal))
                await _feed.RunAsync(directory, PackageFeed.Pin(command) + " --no-restore");
            else
                Assert.Fail($"{readme}: a new app is not made by $ {command}");
        }

        var program = programs.Single();
        program.Write(directory);
        await _feed.RunAsync(directory, "dotnet build -warnaserror -v quiet -nologo");
        await using var play = new ProgramPlay(program, directory, ["dotnet", "run", "--no-build"]);
        await play.PlayAsync();
    }

    [Test]
    public async Task Tool_OfPackage_InstallsAndServes()
    {
        var readme = Example.Of("FurtherLink.Host/README.md").Where(example => example.Kind == "console").SelectMany(CommandLines.Of).ToList();
        Assert.That(readme[0].Command, Is.EqualTo("dotnet tool install --global furtherlink"), "what follows installs it so, but into a folder");
        await _feed.RunAsync(_folder.Path, PackageFeed.Pin($"dotnet tool install --tool-path {_folder["tools"]} furtherlink"));
        var tool = _folder[Path.Combine("tools", "furtherlink")];

        Assert.That((await HostProcess.RunAsync(_folder.Path, "--version", executable: tool)).Output.Trim(), Is.EqualTo(PackageFeed.Version));

        await using var host = await HostProcess.ServeAsync(_folder.Path, "--no-tls --port 0", executable: tool);
        using var client = new HttpClient();
        Assert.That(await client.GetStringAsync(new Uri(host.Address, "/status")), Is.EqualTo("OK"));
        await using var peer = await SocketPeer.ConnectAsync(new UriBuilder(new Uri(host.Address, "/run")) { Scheme = "ws" }.Uri);
        await Exchange.PlayAsync(peer, Example.Of("FurtherLink.Host/README.md").Single(example => example.Kind == "exchange").Lines);
    }
}
