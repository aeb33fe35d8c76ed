using System.Net;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>Terminals that are too many, and terminals that control nothing.</summary>
[TestFixture]
internal sealed class ExistingServerFaultTestsTerminals : ExistingServerFaultTests
{
    private const int Clients = 6;

    [TestCase(true)]
    [TestCase(false)]
    public async Task Programs_HundredsAtOnce_AllAnswerAndHoldUpNothing(bool terminal)
    {
        // Of terminals the existing server has a handful; without them it ends at 900.
        var count = terminal ? 300 : SoakSize.Of(shortForm: 120, longForm: 1020);
        var clients = new List<LiveClient>();
        try
        {
            for (var i = 0; i < Clients; i++)
                clients.Add(await ConnectAsync(terminal));
            var programs = await Task.WhenAll(Enumerable.Range(0, count)
                .Select(i => clients[i % Clients].ShellAsync("echo $$; while read line; do echo \"<$line>\"; done")));
            // What is typed before a program has printed anything is echoed before it.
            await Task.WhenAll(programs.Select(program => program.SeeAsync("\n")));
            await Task.WhenAll(programs.Select(AnswerAsync));

            // Beside them all: code, uploads, and everybody else.
            await Task.WhenAll(clients.Select(async client =>
            {
                var code = await client.PythonAsync("print('code runs')");
                Assert.That(await code.ExitAsync(), Is.Zero, code.Error);
                Assert.That(code.Output, Does.StartWith("code runs"));
                await client.PingAsync();
            }).Concat(Enumerable.Range(0, Clients).Select(UploadAsync)).Concat(programs.Select(AnswerAsync)));

            // Nor is anything left of them when they have gone.
            clients.ForEach(client => client.Cut());
            await GoneAsync(programs.Select(program => Numbers(program.Output.Split('\n')[0])[0]), "the end of programs whose clients have gone");
            await Patience.UntilAsync(() => !Host.Sessions.Sessions.Any(), "the end of their sessions");
            await using var later = await ConnectAsync(terminal);
            await AnswerAsync(await later.ShellAsync("read line; echo \"<$line>\""));
            await UploadAsync(Clients);
        }
        finally
        {
            foreach (var client in clients)
                await client.DisposeAsync();
        }
    }

    [Test]
    public async Task Terminal_OfCode_ControlsIt([Values("python3", "exec")] string runner)
    {
        await using var client = await ConnectAsync(terminal: true);
        const string Code = """
            import getpass, os, signal
            def resized(*_):
                size = os.get_terminal_size()
                print(f"{size.lines} rows of {size.columns}", flush=True)
            signal.signal(signal.SIGWINCH, resized)
            try:
                print("ready", flush=True)
                while True: signal.pause()
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            with open("/dev/tty", "w") as terminal:
                terminal.write("by its name\n")
            print("heard", len(getpass.getpass("Secret? ")), flush=True)
            """;
        var program = await client.StartAsync(runner, runner == "exec" ? "#!/usr/bin/env python3\n" + Code : Code);
        await program.SeeAsync("ready");
        await program.ResizeAsync(33, 101);
        await program.SeeAsync("33 rows of 101");
        await program.TypeAsync("\u0003");
        await program.SeeAsync("interrupted");
        await program.SeeAsync("by its name");
        await program.SeeAsync("Secret? ");
        await program.TypeAsync("hidden\n");
        await program.SeeAsync("heard 6");

        Assert.That(await program.ExitAsync(), Is.Zero, program.Output);
        Assert.That(program.Output, Does.Not.Contain("hidden").And.Not.Contain("Warning"));
    }

    [Test]
    public async Task Pager_OfAScript_TakesItsKeysFromTheTerminal()
    {
        Assume.That(File.Exists("/usr/bin/less"), "less is not installed");
        await using var client = await ConnectAsync(terminal: true);
        // Its standard input is the text, so it reads keys from /dev/tty.
        var program = await client.ShellAsync("seq -f 'line %g' 1000 | LESS= /usr/bin/less; echo \"it ended with $?\"");
        await program.SeeAsync("line 3");
        await program.TypeAsync("G");
        await program.SeeAsync("line 1000");
        await program.TypeAsync("q");
        await program.SeeAsync("it ended with 0");
        Assert.That(await program.ExitAsync(), Is.Zero);
    }

    private static async Task AnswerAsync(LiveProgram program)
    {
        var text = Guid.NewGuid().ToString();
        await program.TypeAsync(text + "\n");
        await program.SeeAsync($"<{text}>");
    }

    private async Task UploadAsync(int number)
    {
        using var http = new HttpClient();
        using var body = new StringContent($$$"""{"name":"upload{{{number}}}","files":{"a":{"type":"text","content":{"text":"{{{number}}}"} } } }""");
        using var response = await http.PostAsync(new Uri(await Host.ListenAsync("http"), "/upload"), body).WaitAsync(LiveClient.Patience);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(Work, $"upload{number}/a")), Is.EqualTo($"{number}"));
    }
}
