namespace FurtherLink.Peers;

/// <summary>The peers of one connection: one, or one for each client it carries. Used by the connection's loop alone.</summary>
/// <param name="create">Makes a peer.</param>
/// <param name="manyClients">Whether messages name their client.</param>
internal sealed class PeerSet(Func<string?, Peer> create, bool manyClients)
{
    private readonly Dictionary<string, Peer> _byClient = new(StringComparer.Ordinal);
    private Peer? _only;

    /// <summary>The connection's own peer: the only one, or the one that messages without a client are from.</summary>
    public Peer Only => _only ??= create(null);

    /// <summary>All there are.</summary>
    public IEnumerable<Peer> All => _only is null ? _byClient.Values : _byClient.Values.Prepend(_only);

    /// <summary>The peer of a message.</summary>
    public Peer Get(string? client)
    {
        if (client is null || !manyClients)
            return Only;
        if (!_byClient.TryGetValue(client, out var peer))
            _byClient[client] = peer = create(client);
        return peer;
    }
}
