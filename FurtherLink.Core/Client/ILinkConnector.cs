namespace FurtherLink.Client;

/// <summary>A way to a server: opens connections to it, the first one and those after a loss. Thread safe.</summary>
public interface ILinkConnector
{
    /// <summary>Where it leads, for people ("wss://pi.local:8028/run"). Holds nothing that lets anybody in.</summary>
    string Target { get; }

    /// <summary>Whether a lost connection can be opened again. False where what is at the other end goes with it.</summary>
    bool CanReconnect { get; }

    /// <summary>Whether nobody else can read what is sent on the way. Default true.</summary>
    bool IsPrivate => true;

    /// <summary>Opens a connection.</summary>
    /// <param name="maxMessage">The longest message that the client takes, in bytes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LinkConnectException">It cannot be opened; the message says why, and whether trying again makes sense.</exception>
    ValueTask<ClientLink> ConnectAsync(int maxMessage, CancellationToken cancellationToken);
}
