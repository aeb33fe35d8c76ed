using System.Net.WebSockets;
using FurtherLink.Codecs;

namespace FurtherLink.Tests.Support;

/// <summary>A connection over a real WebSocket.</summary>
internal sealed class WebSocketWire : ITestWire
{
    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[64 * 1024];

    private WebSocketWire()
    {
    }

    public static async Task<WebSocketWire> ConnectAsync(Uri address)
    {
        var wire = new WebSocketWire();
        await wire._socket.ConnectAsync(address, CancellationToken.None).WaitAsync(Patience.Long);
        return wire;
    }

    public Task SendAsync(FrameKind kind, ReadOnlyMemory<byte> body) =>
        _socket.SendAsync(body, kind is FrameKind.Text ? WebSocketMessageType.Text : WebSocketMessageType.Binary, true, CancellationToken.None).AsTask();

    public async Task<(FrameKind Kind, byte[] Body)?> ReceiveAsync()
    {
        using var body = new MemoryStream();
        while (true)
        {
            var result = await _socket.ReceiveAsync(_buffer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(Patience.Long);
            if (result.MessageType is WebSocketMessageType.Close)
                return null;
            body.Write(_buffer.AsSpan(0, result.Count));
            if (result.EndOfMessage)
                return (result.MessageType is WebSocketMessageType.Text ? FrameKind.Text : FrameKind.Binary, body.ToArray());
        }
    }

    /// <summary>What the server has ended the connection with; null = it has not.</summary>
    public WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;

    public Task CutAsync()
    {
        _socket.Abort();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
