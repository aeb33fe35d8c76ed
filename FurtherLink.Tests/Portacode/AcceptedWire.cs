using System.Net.WebSockets;
using FurtherLink.Codecs;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode;

/// <summary>A gateway's end of a WebSocket that a device has dialled.</summary>
internal sealed class AcceptedWire(WebSocket socket) : ITestWire
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _buffer = new byte[64 * 1024];

    /// <summary>Completes when the test needs it no more.</summary>
    public Task Ended => _ended.Task;

    public Task SendAsync(FrameKind kind, ReadOnlyMemory<byte> body) =>
        socket.SendAsync(body, kind is FrameKind.Text ? WebSocketMessageType.Text : WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).AsTask();

    public async Task<(FrameKind Kind, byte[] Body)?> ReceiveAsync()
    {
        using var body = new MemoryStream();
        while (true)
        {
            var part = await socket.ReceiveAsync(_buffer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Patience.Long);
            if (part.MessageType is WebSocketMessageType.Close)
                return null;
            body.Write(_buffer, 0, part.Count);
            if (part.EndOfMessage)
                return (part.MessageType is WebSocketMessageType.Text ? FrameKind.Text : FrameKind.Binary, body.ToArray());
        }
    }

    public Task CutAsync()
    {
        socket.Abort();
        _ended.TrySetResult();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _ended.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
