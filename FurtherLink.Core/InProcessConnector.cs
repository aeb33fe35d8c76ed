using FurtherLink.Client;
using FurtherLink.Messages;
using FurtherLink.Security;

namespace FurtherLink;

/// <summary>The way to a server in the same process, without any network. Its clients may do everything.</summary>
/// <param name="server">The server.</param>
public sealed class InProcessConnector(ILinkServer server) : ILinkConnector
{
    private static long _last;

    /// <inheritdoc/>
    public string Target => "this process";

    /// <inheritdoc/>
    public bool CanReconnect => false;

    /// <inheritdoc/>
    public ValueTask<ClientLink> ConnectAsync(int maxMessage, CancellationToken cancellationToken)
    {
        var (client, end) = LinkPipe.CreatePair(maxMessage);
        var connection = new LinkConnection($"in-process-{Interlocked.Increment(ref _last)}", "further", end)
        {
            Principal = Rights.Grant("this process", Access.Own),
            MaxMessage = maxMessage,
        };
        var serving = ServeAsync(connection);
        return new ValueTask<ClientLink>(new ClientLink(client, () => new ValueTask(serving)));
    }

    private async Task ServeAsync(LinkConnection connection)
    {
        await Task.Yield();
        try
        {
            await server.ServeAsync(connection, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            await connection.Frames.Output.CompleteAsync().ConfigureAwait(false);
            await connection.Frames.Input.CompleteAsync().ConfigureAwait(false);
        }
    }
}
