using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using FurtherLink.Framing;

namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>Opens WebSockets to a gateway. Thread safe.</summary>
/// <param name="options">The settings.</param>
/// <param name="time">The clock.</param>
internal sealed class GatewayDialler(PortacodeOptions options, TimeProvider time) : IDisposable
{
    private readonly HttpMessageInvoker _invoker = new(new SocketsHttpHandler
    {
        // A signature is for the gateway that the person named.
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        ConnectCallback = static (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, cancellationToken),
    });

    /// <summary>Opens one.</summary>
    /// <param name="address">The gateway.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The socket, the caller's to dispose; or why there is none, in words.</returns>
    /// <exception cref="OperationCanceledException">It was told to end.</exception>
    public async Task<(WebSocket? Socket, string Why)> DialAsync(Uri address, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.HandshakeTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.KeepAliveInterval = options.KeepAliveInterval;
            socket.Options.KeepAliveTimeout = options.KeepAliveTimeout;
            await socket.ConnectAsync(address, _invoker, either.Token).ConfigureAwait(false);
            return (socket, "");
        }
        catch (Exception e) when (e is WebSocketException or HttpRequestException or OperationCanceledException or IOException)
        {
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            return (null, limit.IsCancellationRequested ? $"it did not answer within {options.HandshakeTimeout.TotalSeconds:0.###} s" : e.GetBaseException().Message);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _invoker.Dispose();

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint end, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            UnsentBytes.Limit(socket);
            await socket.ConnectAsync(end, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
