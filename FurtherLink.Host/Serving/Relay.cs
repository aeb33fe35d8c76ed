using System.Net.Sockets;
using FurtherLink.Processes;

namespace FurtherLink.Host.Serving;

/// <summary>Carries bytes between standard input and output and a socket, each way to its own end.</summary>
internal static class Relay
{
    /// <summary>Does it until the socket's other side has ended, or nobody reads standard output any more.</summary>
    /// <param name="socket">The socket, connected; disposed by the caller.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Why standard output cannot be written, in words; null where it can, or nobody reads it any more.</returns>
    public static async Task<string?> RunAsync(Socket socket, CancellationToken cancellationToken)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        await using var input = StandardStreams.OpenInput();
        await using var output = new CheckedOutput(StandardStreams.OpenOutput());
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = SendAsync(input, stream, socket, over.Token);
        try
        {
            await stream.CopyToAsync(output, over.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The host was killed, or whoever reads standard output has gone: there is nobody left to tell.
        }

        await over.CancelAsync();
        await sending;
        return output.Fault;
    }

    private static async Task SendAsync(Stream input, NetworkStream stream, Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            await input.CopyToAsync(stream, cancellationToken);
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The host's end, which the other direction hears of too.
        }
    }
}
