using System.Net.WebSockets;
using System.Text;

namespace FurtherLink.Tests.Readme;

/// <summary>A WebSocket to the server.</summary>
internal sealed class SocketPeer : IExchangePeer
{
    // Only a hang reaches it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ClientWebSocket _socket;
    private readonly byte[] _buffer = new byte[64 * 1024];

    private SocketPeer(ClientWebSocket socket) => _socket = socket;

    public static async Task<SocketPeer> ConnectAsync(Uri address)
    {
        var socket = new ClientWebSocket();
        using var http = new HttpClient(TestCertificates.TrustingHandler());
        using var timeout = new CancellationTokenSource(Patience);
        await socket.ConnectAsync(address, http, timeout.Token);
        return new SocketPeer(socket);
    }

    public async Task SendAsync(string message) => await _socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, CancellationToken.None);

    public async Task<string?> ReceiveAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        var message = new MemoryStream();
        while (true)
        {
            var result = await _socket.ReceiveAsync(_buffer.AsMemory(), timeout.Token);
            if (result.MessageType == WebSocketMessageType.Close)
                return null;
            message.Write(_buffer, 0, result.Count);
            if (result.EndOfMessage)
                return Encoding.UTF8.GetString(message.ToArray());
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_socket.State == WebSocketState.Open)
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // The server has gone first.
        }

        _socket.Dispose();
    }
}
