using System.Text.Json.Nodes;
using FurtherLink.Host.Configuration;
using FurtherLink.Tests.Host;

namespace FurtherLink.Tests.Readme;

/// <summary>
/// Runs every fenced block of the documents. By kind: "console" (see <see cref="ConsoleExample"/>), "exchange PATH" (messages on a WebSocket to
/// PATH, by default /run; see <see cref="Exchange"/>), "json" (an appsettings.json), "csharp FILE" (a file of a program, compiled and run; see
/// <see cref="ProgramExample"/>), "python" (run to its last line by the server); "text" is no example.
/// </summary>
[TestFixture]
internal sealed class DocumentTests
{
    private static readonly string[] Documents = ["README.md", "extra/PROTOCOL.md", .. PackageReadmes.All];

    private TemporaryFolder _folder = null!;
    private HostProcess _host = null!;

    public static IEnumerable<TestCaseData<ProgramExample>> Programs =>
        Documents.SelectMany(document => ProgramExample.Of(document).Programs).Select(program => new TestCaseData<ProgramExample>(program).SetArgDisplayNames(program.ToString()));

    public static IEnumerable<TestCaseData<Example>> Examples =>
        Documents.SelectMany(document => ProgramExample.Of(document).Others).Where(example => example.Kind != "text").Select(example => new TestCaseData<Example>(example).SetArgDisplayNames(example.ToString()));

    [OneTimeSetUp]
    public async Task StartServer()
    {
        _folder = new TemporaryFolder();

        // The runners that the documents show how to configure are there for the other examples, with their profiles.
        var settings = new JsonObject { ["Runners"] = new JsonObject(), ["Profiles"] = new JsonObject() };
        foreach (var example in Documents.SelectMany(Example.Of).Where(example => example.Kind == "json"))
        {
            foreach (var (group, shown) in JsonNode.Parse(string.Join('\n', example.Lines))?["FurtherLink"] as JsonObject ?? [])
            {
                foreach (var (name, one) in settings[group] is null ? [] : shown as JsonObject ?? [])
                    settings[group]![name] = one?.DeepClone();
            }
        }

        _folder.Write("appsettings.json", new JsonObject { ["FurtherLink"] = settings }.ToJsonString());
        _host = await HostProcess.ServeAsync(_folder.Path, "--port 0", new Dictionary<string, string?>
        {
            ["HOME"] = _folder.Path,
            // Debian's Python, which has the packages for pictures.
            ["PATH"] = "/usr/bin:" + Environment.GetEnvironmentVariable("PATH"),
        });
    }

    [OneTimeTearDown]
    public async Task StopServer()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        _folder.Dispose();
    }

    [TestCaseSource(nameof(Examples))]
    public Task Example_OfDocument_WorksAsShown(Example example) => example.Kind switch
    {
        "console" => new ConsoleExample(example, _folder, _host.Address.Port).RunAsync(),
        "exchange" => ExchangeAsync(example),
        "json" => SettingsAsync(example),
        "python" => PythonAsync(example),
        _ => throw new AssertionException($"{example}: a block is one of console, exchange, json, csharp Program.cs, python, text."),
    };

    [TestCaseSource(nameof(Programs))]
    public async Task Program_OfDocument_DoesWhatIsShown(ProgramExample program)
    {
        using var folder = new TemporaryFolder();
        var command = await ProgramCompiler.CompileAsync(program, folder.Path);
        await using var play = new ProgramPlay(program, folder.Path, command);
        await play.PlayAsync();
    }

    [Test]
    public void Readme_OfProject_HasExamples() => Assert.That(Example.Of("README.md").Count(), Is.GreaterThan(3));

    private async Task ExchangeAsync(Example example)
    {
        await using var peer = await ConnectAsync(example.Argument.Length > 0 ? example.Argument : "/run");
        await Exchange.PlayAsync(peer, example.Lines);
    }

    // An example that listens would go on for ever: it is ended behind its last line, which it reaches only without a mistake.
    private async Task PythonAsync(Example example)
    {
        var code = string.Join('\n', example.Lines.Append("import os, sys").Append("sys.stdout.flush()").Append("os._exit(0)"));
        var start = new JsonObject
        {
            ["type"] = "start",
            ["process"] = "1",
            ["data"] = new JsonObject { ["runner"] = "python3", ["code"] = code },
        };
        await using var peer = await ConnectAsync("/run");
        await peer.SendAsync(start.ToJsonString());
        var messages = "";
        while (await peer.ReceiveAsync() is { } message)
        {
            messages += message + "\n";
            if ((string?)JsonNode.Parse(message)!["type"] is "stopped" or "error")
                break;
        }

        Assert.That(messages, Does.Contain("\"exitCode\": 0"), example.ToString());
    }

    private Task<SocketPeer> ConnectAsync(string path) =>
        SocketPeer.ConnectAsync(new UriBuilder(new Uri(_host.Address, path)) { Scheme = _host.Address.Scheme == "https" ? "wss" : "ws" }.Uri);

    private static Task SettingsAsync(Example example)
    {
        using var folder = new TemporaryFolder();
        folder.Write("appsettings.json", string.Join('\n', example.Lines));
        using var configuration = HostConfiguration.Load(new Dictionary<string, string>(), new Dictionary<string, string>(), folder.Path);
        Assert.That(configuration.Root.GetSection(HostConfiguration.Section).GetChildren(), Is.Not.Empty, $"{example}: has no section FurtherLink; show messages as an exchange");
        SettingsCheck.Run(configuration);
        return Task.CompletedTask;
    }
}
