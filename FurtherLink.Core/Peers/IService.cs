using FurtherLink.Messages;

namespace FurtherLink.Peers;

/// <summary>Answers the calls of one name ("files": files.read, files.write). One object for all clients; thread safe.</summary>
public interface IService
{
    /// <summary>The first part of its calls' names.</summary>
    string Name { get; }

    /// <summary>What a client must be allowed for this call; checked before <see cref="CallAsync"/>.</summary>
    Access Needs(Call call);

    /// <summary>Carries a call out. At most 16 run at once for a connection.</summary>
    /// <param name="call">The call; its body is the service's own record. Not borrowed: a codec makes a new one for each call.</param>
    /// <param name="peer">Who asks; the service acts through it.</param>
    /// <param name="cancellationToken">Cancelled when the peer goes.</param>
    /// <returns>The body of the <see cref="Result"/>.</returns>
    /// <exception cref="LinkException">It cannot be done; becomes a <see cref="Failed"/>.</exception>
    ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken);
}
