using FurtherLink.Tests.Support;
using FurtherLink.Transports.WebSockets;
using FurtherLink.Transports.WebSockets.KeepAlive;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.WebSockets.KeepAlive;

public sealed class KeepAlivePatrolTests
{
    private static readonly byte[] Ping = [0x89, 0];
    private static readonly byte[] Text = [0x81, 1, (byte)'a'];
    private static readonly byte[] Goodbye = [0x88, 0];
    private readonly ManualTimeProvider _time = new();
    private readonly WebSocketLinkOptions _options = new();
    private KeepAlivePatrol _patrol = null!;

    [SetUp]
    public void Begin() => _patrol = new KeepAlivePatrol(Options.Create(_options), _time);

    [TearDown]
    public void End() => _patrol.Dispose();

    [Test]
    public async Task Connections_ManyOfThem_HaveOneTimerWhichEndsWithTheLast()
    {
        var kept = Enumerable.Range(0, 100).Select(_ => Keep(new Wire()).Stream).ToArray();
        Assert.That(_time.ActiveTimers, Is.EqualTo(1));
        foreach (var stream in kept)
            await stream.DisposeAsync();
        Assert.That(_time.ActiveTimers, Is.Zero);
    }

    [Test]
    public void Silence_OfAsLongAsTheInterval_IsAnsweredByOnePing()
    {
        var wire = new Wire();
        _ = Keep(wire).Stream.ReadAsync(new byte[8]).AsTask();
        _time.Advance(_options.KeepAliveInterval - TimeSpan.FromTicks(1));
        Assert.That(wire.Written, Is.Empty);
        _time.Advance(_patrol.Round);
        Assert.That(wire.Written, Is.EqualTo(Ping));
        _time.Advance(_patrol.Round);
        Assert.That(wire.Written, Is.EqualTo(Ping));
    }

    [Test]
    public void Silence_AfterAPing_CutsTheConnectionAfterTheTimeout()
    {
        var (stream, lifetime) = Keep(new Wire());
        _ = stream.ReadAsync(new byte[8]).AsTask();
        _time.Advance(_options.KeepAliveInterval + _options.KeepAliveTimeout - TimeSpan.FromTicks(1));
        Assert.That(lifetime.Aborts, Is.Zero);
        _time.Advance(2 * _patrol.Round);
        Assert.That(lifetime.Aborts, Is.EqualTo(1));
        _time.Advance(_options.KeepAliveTimeout * 10);
        Assert.That(lifetime.Aborts, Is.EqualTo(1));
    }

    [Test]
    public async Task Client_SayingSomethingAfterEachPing_Stays()
    {
        var wire = new Wire();
        var (stream, lifetime) = Keep(wire);
        for (var pings = 1; pings <= 20; pings++)
        {
            var read = stream.ReadAsync(new byte[8]).AsTask();
            _time.Advance(_options.KeepAliveInterval + _patrol.Round);
            Assert.That(wire.Written, Has.Length.EqualTo(pings * Ping.Length));
            wire.Hear(Text);
            Assert.That(await read, Is.EqualTo(Text.Length));
        }

        Assert.That(lifetime.Aborts, Is.Zero);
    }

    [Test]
    public void Client_NobodyListensTo_IsPingedAndNotCut()
    {
        var wire = new Wire();
        var (_, lifetime) = Keep(wire);
        _time.Advance((_options.KeepAliveInterval + _options.KeepAliveTimeout) * 10);
        Assert.That(lifetime.Aborts, Is.Zero);
        Assert.That(wire.Written, Has.Length.GreaterThan(5 * Ping.Length));
    }

    [Test]
    public async Task Ping_DueWithinAFrame_FollowsTheFrame()
    {
        var wire = new Wire { Room = new TaskCompletionSource() };
        var (stream, _) = Keep(wire);
        var read = stream.ReadAsync(new byte[8]).AsTask();
        var write = stream.WriteAsync(Text).AsTask();
        _time.Advance(_options.KeepAliveInterval + _patrol.Round);
        Assert.That(wire.Written, Is.EqualTo(Text));
        wire.Room.SetResult();
        await write;
        Assert.That(wire.Written, Is.EqualTo(Text.Concat(Ping)));
        Assert.That(read.IsCompleted, Is.False);
    }

    [Test]
    public async Task Frame_DueWithinAPing_FollowsThePing()
    {
        var wire = new Wire { Room = new TaskCompletionSource() };
        var (stream, _) = Keep(wire);
        _ = stream.ReadAsync(new byte[8]).AsTask();
        _time.Advance(_options.KeepAliveInterval + _patrol.Round);
        var write = stream.WriteAsync(Text).AsTask();
        Assert.That(wire.Written, Is.EqualTo(Ping));
        wire.Room.SetResult();
        await write;
        Assert.That(wire.Written, Is.EqualTo(Ping.Concat(Text)));
    }

    [Test]
    public void Client_TakingNothing_IsCutAsOneThatSaysNothing()
    {
        var (stream, lifetime) = Keep(new Wire { Room = new TaskCompletionSource() });
        _ = stream.ReadAsync(new byte[8]).AsTask();
        _ = stream.WriteAsync(Text).AsTask();
        _time.Advance(_options.KeepAliveInterval + _options.KeepAliveTimeout + 2 * _patrol.Round);
        Assert.That(lifetime.Aborts, Is.EqualTo(1));
    }

    [Test]
    public async Task Ping_AfterAGoodbye_IsNotSent()
    {
        var wire = new Wire();
        var (stream, lifetime) = Keep(wire);
        await stream.WriteAsync(Goodbye);
        _ = stream.ReadAsync(new byte[8]).AsTask();
        _time.Advance((_options.KeepAliveInterval + _options.KeepAliveTimeout) * 2);
        Assert.That(wire.Written, Is.EqualTo(Goodbye));
        Assert.That(lifetime.Aborts, Is.Zero);
    }

    private (KeptStream Stream, Lifetime Lifetime) Keep(Wire wire)
    {
        var lifetime = new Lifetime();
        var stream = new KeptStream(wire, lifetime, _patrol);
        _patrol.Add(stream);
        return (stream, lifetime);
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public int Aborts { get; private set; }

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => Aborts++;
    }

    /// <summary>A connection whose other end is the test.</summary>
    private sealed class Wire : MemoryStream
    {
        private readonly List<byte> _written = [];
        private TaskCompletionSource<byte[]> _heard = new();

        /// <summary>What has been written.</summary>
        public byte[] Written => [.. _written];

        /// <summary>Writes end when it does; null = at once.</summary>
        public TaskCompletionSource? Room { get; init; }

        /// <summary>Ends the read that waits.</summary>
        public void Hear(byte[] bytes)
        {
            var heard = _heard;
            _heard = new TaskCompletionSource<byte[]>();
            heard.SetResult(bytes);
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var bytes = await _heard.Task;
            bytes.CopyTo(buffer);
            return bytes.Length;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _written.AddRange(buffer.Span);
            return Room is null ? ValueTask.CompletedTask : new ValueTask(Room.Task);
        }
    }
}
