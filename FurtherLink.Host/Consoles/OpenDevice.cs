using FurtherLink.Client;

namespace FurtherLink.Host.Consoles;

/// <summary>The device that a command uses, connected. Disposing it ends the connection, and where it is this process, its programs.</summary>
/// <param name="client">The connection.</param>
/// <param name="server">What is disposed after it; null = nothing.</param>
internal sealed class OpenDevice(FurtherLinkClient client, IAsyncDisposable? server = null) : IAsyncDisposable
{
    // A goodbye over a lost connection would wait for it to come back.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>The connection.</summary>
    public FurtherLinkClient Client { get; } = client;

    /// <summary>Whether it is this process: nothing outlives the command.</summary>
    public bool IsThisProcess => server is not null;

    /// <summary>Whether its files are those of this machine.</summary>
    public bool IsHere { get; init; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync().AsTask().WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (server is not null)
            await server.DisposeAsync();
    }
}
