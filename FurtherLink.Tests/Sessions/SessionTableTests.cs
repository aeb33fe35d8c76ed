using System.Buffers;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Sessions;

internal sealed class SessionTableTests
{
    private ManualTimeProvider _time = null!;
    private TestHost _host = null!;

    [SetUp]
    public void SetUp()
    {
        _time = new ManualTimeProvider();
        _host = new TestHost(time: _time);
    }

    [TearDown]
    public async Task TearDown() => await _host.DisposeAsync();

    [Test]
    public async Task Start_OfAnUnknownRunner_NamesTheOnesThereAre()
    {
        var fault = await Assert.ThrowsAsync<LinkException>(() => _host.Sessions.StartAsync(new RunRequest("cobol")));
        Assert.That(fault!.Code, Is.EqualTo(FailureCode.NotFound));
        Assert.That(fault.Message, Does.Contain("cobol").And.Contain("python3"));
    }

    [Test]
    public async Task Start_AsAnUnknownUser_SaysSo()
    {
        var fault = await Assert.ThrowsAsync<LinkException>(() => _host.Sessions.StartAsync(new RunRequest("fake") { User = "nobody-of-that-name" }));
        Assert.That(fault!.Message, Does.Contain("nobody-of-that-name"));
    }

    [Test]
    public async Task Start_ThatFails_LeavesNothing()
    {
        _host.Runner.BeforeStart = _ => throw new LinkException(FailureCode.Failed, "no");
        await Assert.ThrowsAsync<LinkException>(() => _host.Sessions.StartAsync(new RunRequest("fake")));
        Assert.That(_host.Sessions.Sessions, Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(_host.Folder, "tmp")), Is.Empty);
    }

    [Test]
    public async Task Session_StartedInProcess_IsReadWithoutAnyConnection()
    {
        var session = await _host.Sessions.StartAsync(new RunRequest("exec") { Code = "#!/bin/sh\nread line; echo got $line" });
        await session.WriteAsync(new ReadOnlySequence<byte>("hello\n"u8.ToArray()), default, CancellationToken.None);

        Assert.That(await session.Exited.WaitAsync(Patience.Long), Is.EqualTo(new ExitStatus(0)));
        using var reader = session.Output.Attach(new ReaderOptions { From = 0 });
        var text = new StringBuilder();
        while (reader.TryRead(4096, out var chunk) && chunk.Exit is null)
            text.Append(Encoding.UTF8.GetString(chunk.Data.Span));
        Assert.That(text.ToString(), Is.EqualTo("got hello\n"));
    }

    [Test]
    public async Task Name_OfASessionThatIsBeingStarted_IsTaken()
    {
        var started = new TaskCompletionSource();
        _host.Runner.BeforeStart = _ => started.Task;
        var request = new RunRequest("fake") { Session = new SessionOptions { Name = "build" } };
        var first = _host.Sessions.StartAsync(request);
        var fault = await Assert.ThrowsAsync<LinkException>(() => _host.Sessions.StartAsync(request));
        Assert.That(fault!.Code, Is.EqualTo(FailureCode.AlreadyExists));
        started.SetException(new LinkException(FailureCode.Failed, "no"));
        await Assert.ThrowsAsync<LinkException>(() => first.WaitAsync(Patience.Long));

        _host.Runner.BeforeStart = _ => Task.CompletedTask;
        await _host.Sessions.StartAsync(request).WaitAsync(Patience.Long);
    }

    [Test]
    public async Task Name_OfASession_FindsItAndIsTakenOnce()
    {
        var request = new RunRequest("fake") { Session = new SessionOptions { Name = "build" } };
        var session = await _host.Sessions.StartAsync(request);

        Assert.That(_host.Sessions.Find("build"), Is.SameAs(session));
        Assert.That(_host.Sessions.Find(session.Id), Is.SameAs(session));
        await Assert.ThrowsAsync<LinkException>(() => _host.Sessions.StartAsync(request));
    }

    [Test]
    public async Task Stop_AfterGrace_WaitsThatLongForSomebody()
    {
        await using var client = _host.Connect();
        var session = await StartDetachedAsync(new SessionOptions { WhenDetached = WhenDetached.Stop, Grace = TimeSpan.FromMinutes(5) });
        var program = await _host.Runner.NextAsync();

        _time.Advance(TimeSpan.FromMinutes(4.9));
        Assert.That(program.IsDisposed, Is.False);
        _time.Advance(TimeSpan.FromMinutes(0.2));

        Assert.That((await session.Exited.WaitAsync(Patience.Long)).Code, Is.EqualTo(-15));
        await Patience.UntilAsync(() => _host.Sessions.Find(session.Id) is null, "its removal");
    }

    [Test]
    public async Task Pause_WhileNobodyIsAttached_HoldsTheProgramAndLosesNothing()
    {
        var session = await StartDetachedAsync(new SessionOptions { WhenDetached = WhenDetached.Pause });
        var program = await _host.Runner.NextAsync();
        var written = 0;
        var writing = Task.Run(async () =>
        {
            for (; written < 40; written++)
                await program.PrintAsync(new string('x', 64 * 1024));
        });

        await Patience.UntilAsync(() => session.Output.End >= session.Output.Options.Capacity, "a full log");
        Assert.That(session.Output.Start, Is.Zero);
        Assert.That(writing.IsCompleted, Is.False);

        using var reader = session.Output.Attach(new ReaderOptions { From = 0 });
        ((Session)session).Hold.Join();
        long length = 0;
        while (length < 40 * 64 * 1024)
        {
            var chunk = await reader.ReadAsync(64 * 1024, CancellationToken.None).AsTask().WaitAsync(Patience.Long);
            Assert.That(chunk.Missed, Is.Zero);
            length += chunk.Data.Length;
            reader.Release(chunk.Next);
        }

        await writing.WaitAsync(Patience.Long);
    }

    [Test]
    public async Task Keep_WhileNobodyIsAttached_RunsOnAndKeepsTheNewest()
    {
        var session = await StartDetachedAsync(new SessionOptions { WhenDetached = WhenDetached.Keep });
        var program = await _host.Runner.NextAsync();
        for (var i = 0; i < 40; i++)
            await program.PrintAsync(new string('x', 64 * 1024)).WaitAsync(Patience.Long);

        using var reader = session.Output.Attach(new ReaderOptions { From = 0 });
        Assert.That(reader.TryRead(1024, out var chunk), Is.True);
        Assert.That(chunk.Missed, Is.EqualTo(session.Output.Start).And.GreaterThan(0));
    }

    [Test]
    public async Task Exit_OfASessionThatOutlivesItsClient_CanBeReadForAStatedTime()
    {
        var session = await StartDetachedAsync(new SessionOptions { WhenDetached = WhenDetached.Keep });
        var program = await _host.Runner.NextAsync();
        await program.PrintAsync("last words");
        program.Exit(4);
        await session.Exited.WaitAsync(Patience.Long);

        await Patience.UntilAsync(() => _time.IsDueIn(TimeSpan.FromMinutes(10)), "the timer of its removal");
        _time.Advance(TimeSpan.FromMinutes(9));
        Assert.That(_host.Sessions.Find(session.Id)?.Info.Exit, Is.EqualTo(new ExitStatus(4)));
        _time.Advance(TimeSpan.FromMinutes(1));
        await Patience.UntilAsync(() => _host.Sessions.Find(session.Id) is null, "its removal");
    }

    [Test]
    public async Task Exit_OfMoreSessionsThanAreKept_LetsTheFirstGo()
    {
        _host.Get<Microsoft.Extensions.Options.IOptions<LinkOptions>>().Value.MaxExited = 2;
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            var session = await _host.Sessions.StartAsync(new RunRequest("exec") { Code = "#!/bin/sh\necho x", Session = new SessionOptions { WhenDetached = WhenDetached.Keep } });
            await session.Exited.WaitAsync(Patience.Long);
            ids.Add(session.Id);
        }

        var running = await _host.Sessions.StartAsync(new RunRequest("fake"));
        Assert.That(_host.Sessions.Sessions.Select(session => session.Id), Is.EquivalentTo(ids.Skip(2).Append(running.Id)));
    }

    [Test]
    public async Task StopAll_EndsEveryProgramAndTakesNoNewOne()
    {
        // Ending real programs takes real time.
        await using var host = new TestHost();
        var sessions = new List<ISession>();
        for (var i = 0; i < 20; i++)
            sessions.Add(await host.Sessions.StartAsync(new RunRequest("exec") { Code = "#!/bin/sh\nsleep 1000" }));

        await host.Sessions.StopAllAsync().WaitAsync(Patience.Long);

        Assert.That(sessions.Select(session => session.Info.Exit?.Code), Is.All.EqualTo(-15));
        await Assert.ThrowsAsync<LinkException>(() => host.Sessions.StartAsync(new RunRequest("fake")));
    }

    private async Task<ISession> StartDetachedAsync(SessionOptions options)
    {
        var session = await _host.Sessions.StartAsync(new RunRequest("fake") { Session = options });
        var hold = ((Session)session).Hold;
        hold.Join();
        hold.Leave(0);
        return session;
    }
}
