using System.IO.Pipelines;
using System.Text.Json;
using FurtherLink.Messages;
using FurtherLink.Recordings;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Spills;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Sessions.Spills;

internal sealed class SpilledSessionTests
{
    private ManualTimeProvider _time = null!;
    private string _root = null!;
    private TestHost _host = null!;

    [SetUp]
    public void SetUp()
    {
        _time = new ManualTimeProvider();
        _root = Directory.CreateTempSubdirectory("furtherlink-test-").FullName;
        using (var crashed = SpillDirectory.Create(Path.Combine(_root, "0123456789ab")))
            crashed.CreateSegment(0).Dispose();
        _host = new TestHost(time: _time, configure: options =>
        {
            options.OutputCapacity = 64 * 1024;
            options.SpillCapacity = 16 * 1024 * 1024;
            options.SpillDirectory = _root;
            options.SpillRetention = TimeSpan.FromHours(2);
        });
    }

    [TearDown]
    public async Task TearDown()
    {
        await _host.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Test]
    public async Task Session_ThatIsKept_CanBeReadFromItsStartUntilTheRetentionIsOver()
    {
        var (session, program) = await StartAsync(new SessionOptions { WhenDetached = WhenDetached.Keep });
        Assert.That(session.Output.Start, Is.Positive);
        program.Exit(3);
        await session.Exited.WaitAsync(Patience.Long);

        _time.Advance(TimeSpan.FromMinutes(119));
        Assert.That(_host.Sessions.Find(session.Id), Is.SameAs(session));
        using (var reader = session.Output.Attach(new ReaderOptions()))
            Assert.That((await reader.ReadAsync(64 * 1024, default)).Missed, Is.Zero);

        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.That(_host.Sessions.Find(session.Id), Is.Null);
        await Patience.UntilAsync(() => Directory.GetDirectories(_root).Length == 0, "nothing is left on disk");
    }

    [Test]
    public async Task Recording_OfWhatHasLeftTheMemory_HasAllOfIt()
    {
        var (session, program) = await StartAsync(new SessionOptions { WhenDetached = WhenDetached.Keep });
        program.Exit(0);
        await session.Exited.WaitAsync(Patience.Long);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await Recording.WriteAsync(session, pipe.Writer, new RecordingOptions(), default).WaitAsync(Patience.Long);
        await pipe.Writer.CompleteAsync();
        using var lines = new StreamReader(pipe.Reader.AsStream());
        var printed = 0;
        await lines.ReadLineAsync();
        while (await lines.ReadLineAsync() is { } line)
        {
            using var record = JsonDocument.Parse(line);
            Assert.That(record.RootElement[1].GetString(), Is.EqualTo("o"));
            printed += record.RootElement[2].GetString()!.Count('x');
        }

        Assert.That(printed, Is.EqualTo(200_000));
    }

    [Test]
    public async Task Session_ThatStopsWithItsClient_KeepsNothingOnDisk()
    {
        var (session, _) = await StartAsync(SessionOptions.Default);

        Assert.That(session.Output.Options.Archive, Is.Null);
        Assert.That(session.Output.Readers, Is.Empty);
    }

    [Test]
    public async Task Table_AtItsStart_RemovesWhatACrashHasLeft()
    {
        _ = _host.Sessions;
        await Patience.UntilAsync(() => Directory.GetDirectories(_root).Length == 0, "it is swept");
    }

    [Test]
    public async Task Start_ThatFails_LeavesNothing()
    {
        _host.Runner.BeforeStart = _ => throw new LinkException(FailureCode.Failed, "no");
        await Assert.ThrowsAsync<LinkException>(() => _host.Sessions.StartAsync(new RunRequest("fake") { Session = new SessionOptions { WhenDetached = WhenDetached.Keep } }));
        Assert.That(_time.ActiveTimers, Is.Zero);
    }

    [Test]
    public void Table_WithACapacityAndNoPlace_SaysWhatToDo()
    {
        var options = Options.Create(new LinkOptions { SpillCapacity = 1024 * 1024 });
        Assert.That(() => new SessionTable(options, []), Throws.ArgumentException.With.Message.Contains("SpillDirectory"));
    }

    [Test]
    public void Options_OutsideOfWhatTheyMayBe_Throw()
    {
        var options = new LinkOptions();
        Assert.That(() => options.SpillCapacity = 1000, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => options.SpillRetention = TimeSpan.Zero, Throws.InstanceOf<ArgumentOutOfRangeException>());
        options.SpillCapacity = 0;
    }

    private async Task<(ISession Session, FakeProcess Program)> StartAsync(SessionOptions options)
    {
        var session = await _host.Sessions.StartAsync(new RunRequest("fake") { Session = options });
        var program = await _host.Runner.NextAsync();
        for (var i = 0; i < 200; i++)
            await program.PrintAsync(new string('x', 1000));
        return (session, program);
    }
}
