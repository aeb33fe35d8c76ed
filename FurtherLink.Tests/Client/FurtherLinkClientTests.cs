using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using FurtherLink.Client;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Client;

/// <summary>What the client library promises, against a real server in this process and real programs.</summary>
[TestFixture]
internal sealed class FurtherLinkClientTests
{
    private static readonly RunRequest Cat = new("program") { Arguments = ["cat"] };

    private ClientRig _rig = null!;

    private FurtherLinkClient Client => _rig.Client;

    [SetUp]
    public void SetUp() => _rig = new ClientRig();

    [TearDown]
    public async Task TearDownAsync() => await _rig.DisposeAsync();

    [Test]
    public async Task Server_WhenConnected_SaysWhatItIs()
    {
        await Client.PingAsync();
        Assert.That(Client.Server.Version, Is.EqualTo(FurtherLinkVersion.Current));
        Assert.That(Client.Server.Extensions, Does.Contain("bytes").And.Contain("ack"));
        Assert.That(Client.Server.InputCapacity, Is.EqualTo(256 * 1024));
    }

    [Test]
    public async Task Program_ThatIsStarted_PrintsReadsAndExits()
    {
        await using var session = await Client.StartAsync(new RunRequest("python3") { Code = "import sys\nprint('name?', flush=True)\nname = input()\nprint('hello', name)\nprint('oops', file=sys.stderr)\nsys.exit(3)" });
        await ClientRig.ReadUntilAsync(session.Output, "name?\n");
        await session.WriteAsync("Ada\n");
        Assert.That(await ClientRig.ReadTextAsync(session.Output), Is.EqualTo("hello Ada\n"));
        Assert.That(await ClientRig.ReadTextAsync(session.Error), Is.EqualTo("oops\n"));
        Assert.That((await session.Exited.WaitAsync(Patience.Long)).Code, Is.EqualTo(3));
        Assert.That(session.Info.Exit?.Code, Is.EqualTo(3));
        Assert.That(session.Id, Has.Length.GreaterThan(8));
    }

    [Test]
    public async Task Bytes_OfAnyKind_GoThroughUnchanged()
    {
        var bytes = new byte[3 * 1024 * 1024];
        new Random(1).NextBytes(bytes);
        await using var session = await Client.StartAsync(Cat);
        var reading = ClientRig.ReadAllAsync(session.Output);
        await session.WriteAsync(bytes);
        await session.CompleteInputAsync();
        Assert.That(SHA256.HashData(await reading), Is.EqualTo(SHA256.HashData(bytes)));
        Assert.That((await session.Exited).Code, Is.Zero);
        Assert.That(session.Offset, Is.EqualTo(bytes.Length));
    }

    [Test]
    public async Task Request_WithEverything_ReachesTheProgram()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_rig.Host.Folder, "here")).FullName;
        await using var session = await Client.StartAsync(new RunRequest("program")
        {
            Arguments = ["sh", "-c", "pwd; echo \"$A|$1|$2\"; stty size", "sh", "one é", "\"two\"\\"],
            Environment = new Dictionary<string, string?> { ["A"] = "a b" },
            Path = folder,
            Terminal = new TerminalSize(31, 99),
            Session = new SessionOptions { Name = "all", WhenDetached = WhenDetached.Keep },
        });
        Assert.That(await ClientRig.ReadTextAsync(session.Output), Is.EqualTo($"{folder}\r\na b|one é|\"two\"\\\r\n31 99\r\n"));
        Assert.That((session.Info.Name, session.Info.Runner, session.Info.Terminal), Is.EqualTo(("all", "program", new TerminalSize(31, 99))));
    }

    [Test]
    public async Task Terminal_WhenResized_HasTheSize()
    {
        await using var session = await Client.StartAsync(new RunRequest("program") { Arguments = ["sh"], Terminal = new TerminalSize(24, 80) });
        await session.ResizeAsync(new TerminalSize(40, 120));
        await session.WriteAsync("stty size\r");
        await ClientRig.ReadUntilAsync(session.Output, "40 120");
        await Assert.ThatAsync(() => session.ResizeAsync(new TerminalSize(-1, 5)), Throws.TypeOf<LinkException>().With.Property("Code").EqualTo(FailureCode.BadValue));
        Assert.That((await session.StopAsync()).Signal, Is.Not.Null);
    }

    [Test]
    public async Task Signal_ReachesTheProgram()
    {
        await using var session = await Client.StartAsync(new RunRequest("program") { Arguments = ["sh", "-c", "trap 'echo got; exit 4' USR1; echo ready; while :; do sleep 0.01; done"] });
        await ClientRig.ReadUntilAsync(session.Output, "ready\n");
        await session.SignalAsync(10);
        Assert.That(await ClientRig.ReadTextAsync(session.Output), Is.EqualTo("got\n"));
        Assert.That((await session.Exited).Code, Is.EqualTo(4));
    }

    [Test]
    public async Task Mistakes_AreToldWithTheirKind_AndTheConnectionGoesOn()
    {
        await Refused(() => Client.StartAsync(new RunRequest("nothing")), FailureCode.NotFound, "nothing");
        await Refused(() => Client.StartAsync(new RunRequest("program") { Arguments = ["/no/such"] }), FailureCode.ProgramNotFound, "/no/such");
        await Refused(() => Client.AttachAsync("nobody"), FailureCode.NotFound, "nobody");
        await using var session = await Client.StartAsync(Cat);
        await Refused(() => session.ResizeAsync(new TerminalSize(5, 5)), FailureCode.BadMessage, "terminal");
        await Refused(() => session.SignalAsync(99), FailureCode.BadValue, "signal");
        await session.WriteAsync("on\n");
        await ClientRig.ReadUntilAsync(session.Output, "on\n");
    }

    [Test]
    public async Task Input_EndedTwice_IsEndedOnce()
    {
        await using var session = await Client.StartAsync(Cat);
        await session.WriteAsync("all\n");
        await session.CompleteInputAsync();
        await session.CompleteInputAsync();
        Assert.That(await ClientRig.ReadTextAsync(session.Output), Is.EqualTo("all\n"));
        await session.Exited.WaitAsync(Patience.Long);
        await session.CompleteInputAsync();
    }

    [Test]
    public async Task Output_WhoseReaderIsCompleted_HoldsNothingUp()
    {
        await using var rig = new ClientRig(static options => options.ClientStallTimeout = TimeSpan.FromHours(1));
        await using var session = await rig.Client.StartAsync(new RunRequest("program") { Arguments = ["sh", "-c", "head -c 3000000 /dev/zero; echo done >&2; head -c 3000000 /dev/zero"] });
        await Patience.UntilAsync(() => session.Offset > 0, "the first of the output");
        await session.Output.CompleteAsync();
        Assert.That(await ClientRig.ReadTextAsync(session.Error), Is.EqualTo("done\n"));
        Assert.That((await session.Exited.WaitAsync(Patience.Long)).Code, Is.Zero);
        Assert.That(session.Offset, Is.EqualTo(6000005));
    }

    [Test]
    public async Task Stop_WithOutputThatNobodyReads_WaitsForNobody()
    {
        await using var rig = new ClientRig(static options => options.ClientStallTimeout = TimeSpan.FromHours(1));
        await using var session = await rig.Client.StartAsync(new RunRequest("program") { Arguments = ["yes"] });
        await Patience.UntilAsync(() => session.Offset >= rig.Client.Options.Window, "a full window");
        Assert.That((await session.StopAsync().WaitAsync(Patience.Long)).Signal, Is.EqualTo(15));
        Assert.That(await ClientRig.ReadTextAsync(session.Output), Has.Length.EqualTo(session.Offset).And.StartsWith("y\ny\n"), "still there to be read");
    }

    [Test]
    public async Task Drives_AsTheServerTells_IsKnownFromTheStart()
    {
        await using var first = await Client.StartAsync(Cat with { Session = new SessionOptions { Name = "driven" } });
        await using var second = await _rig.Connect().AttachAsync("driven");
        Assert.That((first.Drives, second.Drives), Is.EqualTo((true, false)));
        await first.GrantDriveAsync(second.Member);
        await Patience.UntilAsync(() => second.Drives && !first.Drives, "the hand-over");
    }

    [Test]
    public async Task Input_AfterTheEnd_IsRefused()
    {
        await using var session = await Client.StartAsync(new RunRequest("program") { Arguments = ["true"] });
        await session.Exited;
        await Refused(() => session.WriteAsync("x").AsTask(), FailureCode.InputClosed, "ended");
        await using var other = await Client.StartAsync(Cat);
        await other.CompleteInputAsync();
        await Refused(() => other.WriteAsync("x").AsTask(), FailureCode.InputClosed, "ended");
    }

    [Test]
    public async Task Input_OfAProgramThatClosesItsInput_IsRefusedAtLast()
    {
        await using var session = await Client.StartAsync(new RunRequest("program") { Arguments = ["sh", "-c", "exec <&-; echo closed; exec sleep 1000"] });
        await ClientRig.ReadUntilAsync(session.Output, "closed\n");
        await Refused(
            async () =>
            {
                for (var i = 0; i < 100; i++)
                {
                    await session.WriteAsync(new byte[16 * 1024]);
                    await session.FlushInputAsync().WaitAsync(Patience.Long);
                }
            },
            FailureCode.InputClosed,
            "input");
    }

    [Test]
    public async Task Sessions_AreListed_AttachedToAndStopped_ByAnotherClient()
    {
        var other = _rig.Connect(new ClientOptions { Label = "other" });
        await using var session = await Client.StartAsync(new RunRequest("program")
        {
            Arguments = ["sh", "-c", "echo one; read x; echo two; read x"],
            Session = new SessionOptions { Name = "shared", WhenDetached = WhenDetached.Keep },
        });
        await ClientRig.ReadUntilAsync(session.Output, "one\n");
        var listed = (await other.ListAsync()).Single();
        Assert.That((listed.Id, listed.Name, listed.Exit), Is.EqualTo((session.Id, "shared", (ExitStatus?)null)));

        await using var viewer = await other.AttachAsync("shared", new AttachRequest { From = 2, Access = Access.View });
        await ClientRig.ReadUntilAsync(viewer.Output, "e\n");
        await viewer.WriteAsync("not mine\n");
        await Refused(() => viewer.FlushInputAsync().WaitAsync(Patience.Long), FailureCode.Denied, "");
        await session.WriteAsync("go\n");
        await ClientRig.ReadUntilAsync(viewer.Output, "two\n");

        await using var stopper = await other.AttachAsync(session.Id, new AttachRequest { From = null });
        var status = await stopper.StopAsync().WaitAsync(Patience.Long);
        Assert.That(status.Signal, Is.Not.Null);
        Assert.That(await session.Exited.WaitAsync(Patience.Long), Is.EqualTo(status));
        Assert.That(await ClientRig.ReadTextAsync(viewer.Output), Is.Empty);
    }

    [Test]
    public async Task Driver_HandsOver_AndInputGoesOn()
    {
        var other = _rig.Connect();
        await using var first = await Client.StartAsync(Cat with { Session = new SessionOptions { Name = "cat" } });
        await using var second = await other.AttachAsync("cat");
        await second.RequestDriveAsync();
        await Patience.UntilAsync(() => first.Members.Any(member => member is { Requests: true }), "the request");
        await first.GrantDriveAsync(second.Member);
        await Patience.UntilAsync(() => second.Members.Any(member => member.Id == second.Member && member.Drives), "the hand-over");
        await second.WriteAsync("second\n");
        await ClientRig.ReadUntilAsync(first.Output, "second\n");
        await first.WriteAsync("denied\n");
        await Refused(() => first.FlushInputAsync().WaitAsync(Patience.Long), FailureCode.Denied, "");
        await first.TakeDriveAsync();
        await first.WriteAsync("first\n");
        await ClientRig.ReadUntilAsync(second.Output, "first\n");
    }

    [Test]
    public async Task Screen_OfATerminal_IsGivenToWhoAttaches()
    {
        await using var session = await Client.StartAsync(new RunRequest("program")
        {
            Arguments = ["sh", "-c", "printf '\\033[2J\\033[3;5HHello'; read x"],
            Terminal = new TerminalSize(24, 80),
            Session = new SessionOptions { Name = "picture" },
        });
        await ClientRig.ReadUntilAsync(session.Output, "Hello");
        await using var viewer = await _rig.Connect().AttachAsync("picture", new AttachRequest { Screen = true, Access = Access.View });
        Assert.That(Encoding.UTF8.GetString(viewer.Screen!.Value.Span), Does.Contain("Hello"));
        await session.WriteAsync("\r");
        Assert.That(await ClientRig.ReadTextAsync(viewer.Output), Does.Not.Contain("Hello"));
    }

    [Test]
    public async Task Program_WhoseOutputIsNotRead_Waits_AndTheConnectionDoesNot()
    {
        await using var session = await Client.StartAsync(new RunRequest("fake"));
        var program = await _rig.Host.Runner.NextAsync();
        var printing = Task.Run(async () =>
        {
            for (var i = 0; i < 64; i++)
                await program.PrintAsync(new string((char)('a' + (i % 26)), 64 * 1024));
        });
        await Patience.UntilAsync(() => session.Offset >= Client.Options.Window, "a full window");
        await Client.PingAsync();
        Assert.That(session.Offset, Is.LessThanOrEqualTo(Client.Options.Window + (64 * 1024)));
        Assert.That(printing.IsCompleted, Is.False);

        var reading = ClientRig.ReadAllAsync(session.Output);
        await printing.WaitAsync(Patience.Long);
        program.Exit(0);
        Assert.That(await reading, Has.Length.EqualTo(64 * 64 * 1024));
    }

    [Test]
    public async Task Session_ThatIsDisposed_EndsItsProgram_ButNotOneThatIsKept()
    {
        var kept = await Client.StartAsync(new RunRequest("fake") { Session = new SessionOptions { Name = "kept", WhenDetached = WhenDetached.Keep } });
        var keptProgram = await _rig.Host.Runner.NextAsync();
        var ended = await Client.StartAsync(new RunRequest("fake"));
        var endedProgram = await _rig.Host.Runner.NextAsync();
        await kept.DisposeAsync();
        await ended.DisposeAsync();
        Assert.That((keptProgram.IsDisposed, endedProgram.IsDisposed), Is.EqualTo((false, true)));
        await Assert.ThatAsync(() => kept.Exited, Throws.TypeOf<LinkException>().With.Message.EqualTo("detached"));
        await using var again = await Client.AttachAsync("kept");
        await again.StopAsync();
        Assert.That(keptProgram.IsDisposed, Is.True);
    }

    [Test]
    public async Task Session_ThatIsDisposed_WhileSomebodyReads_EndsForTheReader()
    {
        var session = await Client.StartAsync(new RunRequest("program") { Arguments = ["sh", "-c", "echo first; trap '' TERM; yes"] });
        await ClientRig.ReadUntilAsync(session.Output, "first\n");
        var reading = ClientRig.ReadAllAsync(session.Output);
        await session.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        Assert.That(await reading.WaitAsync(Patience.Long), Is.Not.Null);
    }

    [Test]
    public async Task Client_ThatIsDisposed_EndsWhatIsToEnd_AndSaysSo()
    {
        var session = await Client.StartAsync(new RunRequest("fake"));
        var program = await _rig.Host.Runner.NextAsync();
        await Client.DisposeAsync();
        Assert.That(program.IsDisposed, Is.True);
        Assert.That(session.Exited.IsCompleted, Is.True);
        Assert.That(Client.Closed.IsCompleted, Is.True);
        await Assert.ThatAsync(() => Client.ListAsync(), Throws.InstanceOf<LinkException>());
        await Client.DisposeAsync();
    }

    [Test]
    public async Task ManyRequests_AtOnce_AreAllAnswered()
    {
        var codes = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            await using var session = await Client.StartAsync(new RunRequest("program") { Arguments = ["sh", "-c", $"echo {i}; exit {i}"] });
            Assert.That(await ClientRig.ReadTextAsync(session.Output), Is.EqualTo($"{i}\n"));
            return (await session.Exited).Code;
        }));
        Assert.That(codes, Is.EqualTo(Enumerable.Range(0, 40)));
    }

    [Test]
    public async Task Directory_IsUploadedWhole_WithProgress()
    {
        var source = Directory.CreateDirectory(Path.Combine(_rig.Host.Folder, "source")).FullName;
        Directory.CreateDirectory(Path.Combine(source, "sub"));
        var bytes = new byte[500_000];
        new Random(3).NextBytes(bytes);
        await File.WriteAllBytesAsync(Path.Combine(source, "sub", "big é.bin"), bytes);
        await File.WriteAllTextAsync(Path.Combine(source, "empty"), "");
        await File.WriteAllTextAsync(Path.Combine(source, "run.sh"), "#!/bin/sh\necho ran\n");
        File.SetUnixFileMode(Path.Combine(source, "run.sh"), (UnixFileMode)0b111_101_101);
        Directory.CreateSymbolicLink(Path.Combine(source, "loop"), source);
        var seen = new List<TransferProgress>();
        await Client.UploadAsync(source, "demo", new Synchronous(seen.Add));

        var target = Path.Combine(_rig.Host.Folder, "work", "demo");
        Assert.That(await File.ReadAllBytesAsync(Path.Combine(target, "sub", "big é.bin")), Is.EqualTo(bytes));
        Assert.That(Directory.GetFileSystemEntries(target, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(target, path)).Order(StringComparer.Ordinal), Is.EqualTo(new[] { "empty", "run.sh", "sub", "sub/big é.bin" }));
        Assert.That((seen[0].Bytes, seen[^1].Bytes, seen[^1].TotalBytes, seen[^1].Files, seen[^1].TotalFiles), Is.EqualTo((0L, 500_019L, 500_019L, 3, 3)));
        await using var session = await Client.StartAsync(new RunRequest("exec") { Path = "demo/run.sh" });
        Assert.That(await ClientRig.ReadTextAsync(session.Output), Is.EqualTo("ran\n"));
    }

    [Test]
    public async Task Upload_WhatIsNoFile_IsLeftOutAndNamed()
    {
        var source = Directory.CreateDirectory(Path.Combine(_rig.Host.Folder, "source", "sub")).Parent!.FullName;
        await File.WriteAllTextAsync(Path.Combine(source, "a"), "a");
        using (var made = Process.Start("mkfifo", [Path.Combine(source, "sub", "pipe")]))
            await made.WaitForExitAsync();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(source, "socket")));
        File.CreateSymbolicLink(Path.Combine(source, "device"), "/dev/zero");
        File.CreateSymbolicLink(Path.Combine(source, "nowhere"), "/no/such/file");
        File.CreateSymbolicLink(Path.Combine(source, "b"), "a");
        var leftOut = await Client.UploadAsync(source, "demo").WaitAsync(Patience.Long);
        Assert.That(leftOut, Is.EqualTo(new[] { "device", "nowhere", "socket", "sub/pipe" }));
        Assert.That(Directory.GetFiles(Path.Combine(_rig.Host.Folder, "work", "demo")).Select(Path.GetFileName).Order(), Is.EqualTo(new[] { "a", "b" }));
    }

    [Test]
    public async Task Upload_ThatIsRefused_ChangesNothing()
    {
        var source = Directory.CreateDirectory(Path.Combine(_rig.Host.Folder, "source")).FullName;
        await File.WriteAllTextAsync(Path.Combine(source, "a"), "a");
        await Client.UploadAsync(source, "demo");
        await Refused(() => Client.UploadAsync(source, "../demo"), FailureCode.Failed, "demo");
        await Assert.ThatAsync(() => Client.UploadAsync(Path.Combine(source, "missing"), "demo"), Throws.InstanceOf<IOException>());
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_rig.Host.Folder, "work", "demo", "a")), Is.EqualTo("a"));
    }

    private static async Task Refused(Func<Task> action, FailureCode code, string detail)
    {
        try
        {
            await action();
        }
        catch (LinkException e)
        {
            Assert.That(e.Code, Is.EqualTo(code), e.Message);
            Assert.That(e.Message, Does.Contain(detail));
            return;
        }

        Assert.Fail("It was not refused.");
    }

    private sealed class Synchronous(Action<TransferProgress> report) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => report(value);
    }
}
