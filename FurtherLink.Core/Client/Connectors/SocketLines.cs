using System.Net.Sockets;
using FurtherLink.Framing;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Client.Connectors;

/// <summary>Connections whose messages are lines over a socket.</summary>
internal static class SocketLines
{
    /// <summary>Begins one.</summary>
    /// <param name="socket">The socket, connected.</param>
    /// <param name="maxMessage">The longest message taken, in bytes.</param>
    /// <param name="name">Where it leads.</param>
    /// <param name="close">Lets go of the socket, last of all.</param>
    /// <param name="explain">Says why the other side has ended it; null = it never does.</param>
    public static ClientLink Open(Socket socket, int maxMessage, string name, Func<ValueTask> close, Func<ValueTask<string?>>? explain = null)
    {
        var (transport, frames) = LinkPipe.CreatePair(maxMessage);
        var stream = new NetworkStream(socket, ownsSocket: false);
        var pump = new LinePump(stream, stream, transport, maxMessage, name, NullLogger.Instance) { EndOutput = () => socket.Shutdown(SocketShutdown.Send) };
        pump.Start();
        return new ClientLink(frames, CloseAsync, explain);

        async ValueTask CloseAsync()
        {
            await pump.StopAsync(FramePump.Patience).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
            await close().ConfigureAwait(false);
        }
    }
}
