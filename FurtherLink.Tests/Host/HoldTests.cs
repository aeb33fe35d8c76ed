using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Terminals;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>Programs that go on while the server is killed, restarted or replaced, and end where they should.</summary>
internal sealed class HoldTests
{
    private TemporaryFolder _folder = null!;
    private HostProcess? _host;

    private string State => _folder["state/furtherlink"];

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public async Task TearDown()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        _host = null;
        await HolderGoneAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Output_ThroughKillsOfTheServer_HasTheSameHash([Values("", "&pty=1")] string terminal)
    {
        var kills = SoakSize.Of(shortForm: 3, longForm: 20);
        var lines = SoakSize.Of(shortForm: 2_000_000, longForm: 107_374_182);
        var ending = terminal.Length > 0 ? "\r\n" : "\n";
        var total = CountedLines.Length(lines, ending);
        var seed = Random.Shared.Next();
        await TestContext.Out.WriteLineAsync($"seed {seed}");
        var random = new Random(seed);
        using var client = new DurableClient(Socket, "/run?extensions=ack" + terminal) { AcknowledgeEach = 64 * 1024 };
        _host = await ServeAsync();
        await client.StartAsync(new
        {
            runner = "exec",
            code = $"#!/bin/sh\necho $$ >{_folder["pid"]}\nseq {CountedLines.First} {CountedLines.First + lines - 1}\necho $$ >>{_folder["pid"]}",
            session = new { whenDetached = "pause" },
        });
        for (var i = 0; i < kills; i++)
        {
            await client.ReadAsync((long)(total * ((i + random.NextDouble()) / kills)));
            await KillAsync();
            client.Cut();
            _host = await ServeAsync();
            await client.AttachAsync(client.Session!);
        }

        await client.ReadAsync(long.MaxValue);
        Assert.Multiple(() =>
        {
            Assert.That(client.ExitCode, Is.Zero);
            Assert.That(client.Position, Is.EqualTo(total));
            Assert.That(client.Hash, Is.EqualTo(CountedLines.Hash(lines, ending)));
            Assert.That(File.ReadLines(_folder["pid"]).Distinct().Count(), Is.EqualTo(1), "the same process to its end");
        });
        await TestContext.Out.WriteLineAsync($"{client.Position / 1048576.0:0} MiB, {kills} times kill -9");
    }

    [Test]
    public async Task Exit_WhileNoServerIsThere_IsKnownLater()
    {
        using var client = new DurableClient(Socket, "/run?extensions=ack");
        _host = await ServeAsync();
        await client.StartAsync(new { runner = "exec", code = $"#!/bin/sh\necho $$\nwhile [ ! -e {_folder["go"]} ]; do sleep 0.01; done\necho last words\nexit 7", session = new { whenDetached = "keep" } });
        await client.ReadAsync(1);
        await KillAsync();
        await File.WriteAllTextAsync(_folder["go"], "");
        client.Cut();

        _host = await ServeAsync();
        await client.AttachAsync(client.Session!);
        await client.ReadAsync(long.MaxValue);
        Assert.That(client.ExitCode, Is.EqualTo(7));
        Assert.That(client.LastText, Does.Contain("last words"));
    }

    [Test]
    public async Task Input_SentAgainAfterAKill_IsTakenOnce()
    {
        const int Count = 200;
        var random = new Random(TestContext.CurrentContext.Random.Next());
        _host = await ServeAsync();
        var client = new FurtherTestClient(await WebSocketWire.ConnectAsync(new Uri(Socket(), "/run?extensions=sessions")));
        await client.SendAsync("start", "1", new { runner = "exec", code = $"#!/bin/sh\ncat >{_folder["taken"]}", session = new { whenDetached = "keep", name = "taker" }, clientId = "me" });
        await client.UntilAsync("started");
        var next = 1;
        for (var round = 0; next <= Count; round++)
        {
            var until = round < 4 ? random.Next(next, Count) : Count;
            for (var seq = next; seq <= until; seq++)
                await client.SendAsync("stdin", "1", new { input = $"{seq}\n", seq });
            if (round >= 4)
                break;
            // Some of it acknowledged, all of it perhaps taken.
            for (var i = Math.Min(random.Next(3), until - next + 1); i > 0; i--)
                await client.UntilAsync("ack");
            await KillAsync();
            await client.DisposeAsync();
            _host = await ServeAsync();
            client = new FurtherTestClient(await WebSocketWire.ConnectAsync(new Uri(Socket(), "/run")));
            await client.SendAsync("attach", "1", new { session = "taker", clientId = "me" });
            next = (int)(await client.UntilAsync("attached"))["data"]!["seq"]! + 1;
        }

        await client.SendAsync("stdin", "1", new { end = true });
        await client.UntilAsync("stopped");
        await client.DisposeAsync();
        Assert.That(await File.ReadAllLinesAsync(_folder["taken"]), Is.EqualTo(Enumerable.Range(1, Count).Select(seq => seq.ToString(CultureInfo.InvariantCulture))));
    }

    [Test]
    public async Task Terminate_EndsHeldProgramsAndTheHolder()
    {
        _host = await ServeAsync();
        var pid = await StartSleeperAsync("keep", "sleeper");
        Assert.That(File.Exists(Path.Combine(State, "hold.sock")), Is.True);
        _host.Signal("TERM");
        Assert.That(await _host.ExitAsync(), Is.Zero);
        Assert.That(Directory.Exists($"/proc/{pid}"), Is.False);
        await HolderGoneAsync();
    }

    [Test]
    public async Task Terminate_WithManySessions_LeavesNothingInTheHolder()
    {
        _host = await ServeAsync();
        var clients = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ConnectAsync()));
        await Task.WhenAll(clients.Select(async client =>
        {
            for (var i = 0; i < 40; i++)
            {
                await client.SendAsync("start", $"{i}", new { runner = "exec", code = i % 2 == 0 ? "#!/bin/sh\necho short" : "#!/bin/sh\nexec sleep 1000", session = new { whenDetached = "keep" } });
                await client.UntilAsync("started", $"{i}");
            }

            await client.DisposeAsync();
        }));
        _host.Signal("TERM");
        Assert.That(await _host.ExitAsync(), Is.Zero);
        await HolderGoneAsync();
    }

    [Test]
    public async Task Restart_KeepsTheProcessesOfServerAndProgram()
    {
        _host = await ServeAsync();
        var server = _host.Id;
        var pid = await StartSleeperAsync("pause", "sleeper");
        var plain = await StartSleeperAsync(null, null);

        await using var attached = await ConnectAsync();
        await attached.PingAsync();
        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, "restart");
        Assert.That(await attached.NextAsync(), Is.Null);
        Assert.That(((WebSocketWire)attached.Wire).CloseStatus, Is.EqualTo((WebSocketCloseStatus)1012));
        Assert.That((code, errors), Is.EqualTo((0, "")));
        Assert.That(output, Does.EndWith($"Restarted, still process {server}; 1 program went on.\n"));
        // It prints its start message once more, as it may have another port.
        _host.Forget();
        await _host.ReadUntilAsync("Ctrl-C");
        Assert.That(Directory.Exists($"/proc/{pid}"), Is.True);
        Assert.That(Directory.Exists($"/proc/{plain}"), Is.False, "what is not to be kept ends");
        await using var client = await ConnectAsync();
        await client.SendAsync("attach", "1", new { session = "sleeper", from = "start" });
        Assert.That((int)(await client.UntilAsync("attached"))["data"]!["session"]!["pid"]!, Is.EqualTo(pid));
        await client.SendAsync("stop", "1");
        Assert.That((int)(await client.UntilAsync("stopped"))["data"]!["exitCode"]!, Is.EqualTo(-15));
    }

    [Test]
    public async Task Restart_WhereNoServerRuns_SaysSo()
    {
        var (code, _, errors) = await HostProcess.RunAsync(_folder.Path, "restart");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(errors, Does.Contain("no server runs with the state directory").And.Contain("--state-dir"));
    }

    [Test]
    public async Task Holder_ThatIsKilled_EndsItsSessionsWithTheReasonAndIsReplaced()
    {
        _host = await ServeAsync();
        await using var client = await ConnectAsync();
        await client.SendAsync("start", "1", new { runner = "exec", code = "#!/bin/sh\nsleep 1000", session = new { whenDetached = "keep" } });
        var pid = (int)(await client.UntilAsync("started"))["data"]!["session"]!["pid"]!;
        using var kill = Process.Start("/bin/kill", $"-KILL {ParentOf(pid)}");
        await kill.WaitForExitAsync();
        var stopped = await client.UntilAsync("stopped");
        Assert.That((string?)stopped["data"]!["reason"], Does.Contain("held it is gone"));
        using var orphan = Process.Start("/bin/kill", $"-KILL -- -{pid}");
        await orphan.WaitForExitAsync();

        await client.SendAsync("start", "2", new { runner = "exec", code = "#!/bin/sh\necho again", session = new { whenDetached = "keep" } });
        await client.UntilAsync("started");
        Assert.That((await client.RunAsync("2")).Output, Is.EqualTo("again\n"));
    }

    [Test]
    public async Task Hold_TurnedOff_EndsProgramsWithTheServer()
    {
        _host = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls --no-hold");
        var pid = await StartSleeperAsync("keep", "sleeper");
        Assert.That(ParentOf(pid), Is.EqualTo(_host.Id));
        Assert.That(File.Exists(Path.Combine(State, "hold.sock")), Is.False);
    }

    [Test]
    public async Task SecondServer_OfTheSameState_RunsWithoutAHolder()
    {
        _host = await ServeAsync();
        await using var second = await ServeAsync();
        second.Signal("TERM");
        Assert.That(await second.ExitAsync(), Is.Zero);
        Assert.That(await second.ErrorsAsync(), Does.Contain("will not survive a restart").And.Contain("another server uses"));
    }

    [Test]
    public async Task Keys_OfAHeldProgram_GoBothWays()
    {
        _host = await ServeAsync();
        await using var client = await ConnectAsync();
        await client.SendAsync("start", "1", new
        {
            runner = "python3",
            code = "from further_link import KeyboardButton\nfrom signal import pause\nup = KeyboardButton('ArrowUp')\nup.when_pressed = lambda: print('up', flush=True)\npause()",
            session = new { whenDetached = "keep" },
        });
        Assert.That((string?)(await client.UntilAsync("keylisten"))["data"]!["key"], Is.EqualTo("ArrowUp"));
        await client.SendAsync("keyevent", "1", new { key = "ArrowUp", @event = "keydown" });
        Assert.That(await client.OutputUntilAsync("\n"), Is.EqualTo("up\n"));
        await client.SendAsync("stop", "1");
        await client.UntilAsync("stopped");
    }

    [Test]
    public async Task Start_ThatFailsInTheHolder_SaysWhyAndLeavesTheNameFree()
    {
        _host = await ServeAsync();
        await using var client = await ConnectAsync();
        await client.SendAsync("start", "1", new { runner = "exec", path = "/tmp/no-such-program", session = new { whenDetached = "keep", name = "x" } });
        Assert.That((string?)(await client.UntilAsync("error"))["data"]!["detail"], Does.Contain("/tmp/no-such-program"));
        await client.SendAsync("start", "1", new { runner = "exec", code = "#!/bin/sh\necho ok", session = new { whenDetached = "keep", name = "x" } });
        await client.UntilAsync("started");
        Assert.That((await client.RunAsync("1")).Output, Is.EqualTo("ok\n"));
    }

    [Test]
    public async Task Screen_OfAHeldTerminal_IsKnownAfterAKillToo()
    {
        _host = await ServeAsync();
        await using (var client = await ConnectTerminalAsync())
        {
            // More than the log keeps: the picture is nowhere else any more.
            var code = "#!/bin/sh\nstty raw\nprintf '\\033[?1049h\\033[2J\\033[3;5Hpicture'\ni=0\nwhile [ $i -lt 400 ]; do head -c 5000 /dev/zero | tr '\\0' '\\0'; i=$((i+1)); done\nprintf '\\033[1;1Hend'\nread line\nprintf '\\033[4;1Hmore'\nread line";
            await client.SendAsync("start", "1", new { runner = "exec", code, session = new { whenDetached = "keep", name = "picture" } });
            await client.SendAsync("resize", "1", new { rows = 10, cols = 40 });
            await client.OutputUntilAsync("\u001b[1;1Hend");
        }

        await KillAsync();
        _host = await ServeAsync();
        await using var later = await ConnectTerminalAsync();
        await later.SendAsync("attach", "1", new { session = "picture", screen = true });
        var attached = (await later.UntilAsync("attached"))["data"]!;
        var screen = new TerminalScreen(new TerminalSize(10, 40));
        screen.Write(Encoding.UTF8.GetBytes((string)attached["screen"]!));
        Assert.That((screen.Row(0), screen.Row(2), screen.IsAlternate), Is.EqualTo(("end", "    picture", true)));

        await later.SendAsync("stdin", "1", new { input = "x\n" });
        while (screen.Row(3).Length < 4)
            screen.Write(Encoding.UTF8.GetBytes((string)(await later.UntilAsync("stdout"))["data"]!["output"]!));
        Assert.That((screen.Row(2), screen.Row(3)), Is.EqualTo(("    picture", "more")));
    }

    // proc(5): the parent stands behind the name in brackets and the state.
    private static int ParentOf(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
    }

    private async Task<int> StartSleeperAsync(string? whenDetached, string? name)
    {
        await using var client = await ConnectAsync();
        var session = whenDetached is null ? new { whenDetached = "stop", grace = 1000.0, name } : new { whenDetached, grace = 0.0, name };
        await client.SendAsync("start", "1", new { runner = "exec", code = "#!/bin/sh\nexec sleep 1000", session });
        return (int)(await client.UntilAsync("started"))["data"]!["session"]!["pid"]!;
    }

    private async Task<FurtherTestClient> ConnectAsync() => new(await WebSocketWire.ConnectAsync(new Uri(Socket(), "/run?extensions=sessions")));

    private async Task<FurtherTestClient> ConnectTerminalAsync() => new(await WebSocketWire.ConnectAsync(new Uri(Socket(), "/run?extensions=sessions&pty=1")));

    private Task<HostProcess> ServeAsync() => HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls");

    private Uri Socket() => new UriBuilder(_host!.Address) { Scheme = "ws" }.Uri;

    private async Task KillAsync()
    {
        _host!.Signal("KILL");
        await _host.DisposeAsync();
        _host = null;
    }

    private Task HolderGoneAsync() => Patience.UntilAsync(() => !File.Exists(Path.Combine(State, "hold.sock")), "the holder's end");
}
