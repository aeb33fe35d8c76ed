using FurtherLink.Client;

namespace FurtherLink.Tests.Support;

/// <summary>Connects as nobody known.</summary>
internal sealed class UnknownConnector(ILinkServer server) : ILinkConnector
{
    public string Target => "here";

    public bool CanReconnect => false;

    public ValueTask<ClientLink> ConnectAsync(int maxMessage, CancellationToken cancellationToken)
    {
        var (client, served) = LinkPipe.CreatePair(maxMessage);
        var serving = Task.Run(
            async () =>
            {
                await server.ServeAsync(new LinkConnection("nobody", "further", served), CancellationToken.None);
                await served.Output.CompleteAsync();
                await served.Input.CompleteAsync();
            },
            CancellationToken.None);
        return ValueTask.FromResult(new ClientLink(client, () => new ValueTask(serving)));
    }
}
