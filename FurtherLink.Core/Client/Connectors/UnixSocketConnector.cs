using System.Net.Sockets;

namespace FurtherLink.Client.Connectors;

/// <summary>The way to a server on this machine, over its Unix socket.</summary>
/// <param name="path">The socket's path.</param>
public sealed class UnixSocketConnector(string path) : ILinkConnector
{
    /// <inheritdoc/>
    public string Target => "unix:" + path;

    /// <inheritdoc/>
    public bool CanReconnect => true;

    /// <inheritdoc/>
    public async ValueTask<ClientLink> ConnectAsync(int maxMessage, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            socket.Dispose();
            if (e is not (SocketException or ArgumentException or PlatformNotSupportedException))
                throw;
            throw new LinkConnectException($"{Target} cannot be reached: {Explain(e)}", e) { IsFinal = e is not SocketException };
        }

        return SocketLines.Open(socket, maxMessage, Target, () =>
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        });
    }

    private static string Explain(Exception e) => e switch
    {
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => "there is no such socket; is the server running?",
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "nobody listens there; is the server running?",
        SocketException { SocketErrorCode: SocketError.AccessDenied } => "it belongs to another user",
        _ => e.Message,
    };
}
