using System.Net.WebSockets;
using FurtherLink.Framing;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Tests.Framing;

/// <summary>What is read of a WebSocket's client of whom nobody is known yet.</summary>
[TestFixture]
internal sealed class WebSocketPumpTests
{
    private const int Length = 1024 * 1024;

    // What the pump reads at once is at most a block of its pipe.
    private const int Most = 64 * 1024 + 4096;

    [TestCase(Length, 1)]
    [TestCase(64, Length / 64)]
    public async Task Unknown_SaysNoMoreThan64KiB_UntilItIsKnown(int message, int count)
    {
        using var socket = new TalkativeSocket(message, count);
        var server = new ReadingServer();
        var (transport, served) = LinkPipe.CreatePair();
        var connection = new LinkConnection("test", "further", served);
        var serving = WebSocketPump.ServeAsync(server, connection, socket, transport, 4 * Length, NullLogger.Instance, CancellationToken.None);
        Assert.That(socket.Read, Is.InRange(64 * 1024, Most));
        connection.Become(Rights.Grant("x", Access.View));
        await serving.WaitAsync(Patience.Long);
        Assert.That((server.Frames, server.Bytes), Is.EqualTo((count, Length)));
    }

    [Test]
    public async Task Unknown_ThatStaysSo_IsNotReadOnWhenItsConnectionEnds()
    {
        using var socket = new TalkativeSocket(Length, 1);
        var server = new ReadingServer();
        var (transport, served) = LinkPipe.CreatePair();
        using var stop = new CancellationTokenSource();
        var serving = WebSocketPump.ServeAsync(server, new LinkConnection("test", "further", served), socket, transport, 4 * Length, NullLogger.Instance, stop.Token);
        await stop.CancelAsync();
        await serving.WaitAsync(Patience.Long);
        Assert.That(server.Frames, Is.Zero);
    }

    [Test]
    public async Task Known_IsReadAtOnce()
    {
        using var socket = new TalkativeSocket(Length, 1);
        var server = new ReadingServer();
        var (transport, served) = LinkPipe.CreatePair();
        var connection = new LinkConnection("test", "further", served) { Principal = Rights.Grant("x", Access.View) };
        await WebSocketPump.ServeAsync(server, connection, socket, transport, 4 * Length, NullLogger.Instance, CancellationToken.None).WaitAsync(Patience.Long);
        Assert.That(server.Frames, Is.EqualTo(1));
    }

    /// <summary>Counts what comes.</summary>
    private sealed class ReadingServer : ILinkServer
    {
        public int Frames { get; private set; }

        public long Bytes { get; private set; }

        public async Task ServeAsync(LinkConnection connection, CancellationToken cancellationToken)
        {
            var input = connection.Frames.Input;
            using var stop = cancellationToken.Register(input.CancelPendingRead);
            while (true)
            {
                var result = await input.ReadAsync(CancellationToken.None);
                var buffer = result.Buffer;
                while (!result.IsCanceled && FurtherLink.Codecs.Frames.TryRead(ref buffer, int.MaxValue, out var frame))
                {
                    Frames++;
                    Bytes += frame.Body.Length;
                }

                input.AdvanceTo(buffer.Start, buffer.End);
                if (result.IsCompleted || result.IsCanceled)
                    return;
            }
        }
    }

    /// <summary>A socket whose client has sent some messages and its goodbye: what is asked for is there at once.</summary>
    private sealed class TalkativeSocket(int message, int count) : WebSocket
    {
        private int _left = count;
        private int _position;

        public int Read { get; private set; }

        public override WebSocketCloseStatus? CloseStatus => null;

        public override string? CloseStatusDescription => null;

        public override WebSocketState State => _left > 0 ? WebSocketState.Open : WebSocketState.CloseReceived;

        public override string? SubProtocol => null;

        public override ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (_left == 0)
                return new(new ValueWebSocketReceiveResult(0, WebSocketMessageType.Close, true));
            var part = Math.Min(buffer.Length, message - _position);
            Read += part;
            _position += part;
            var isEnd = _position == message;
            if (isEnd)
                (_position, _left) = (0, _left - 1);
            return new(new ValueWebSocketReceiveResult(part, WebSocketMessageType.Text, isEnd));
        }

        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) => throw new NotSupportedException();

        public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Abort() => _left = 0;

        public override void Dispose() => _left = 0;
    }
}
