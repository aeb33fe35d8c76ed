using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>Contents that were sent lately, by their hash, so that a client may ask for them again. When it is full the oldest go. Thread safe.</summary>
/// <param name="capacity">Bytes that are kept.</param>
internal sealed class ContentStore(long capacity = 16 << 20)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<(string Hash, byte[] Content)>> _byHash = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Hash, byte[] Content)> _oldestFirst = new();
    private long _size;

    /// <summary>Keeps a text; one larger than the store is only hashed.</summary>
    /// <returns>Its hash, as "sha256:…".</returns>
    public string Add(string content)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        var hash = ContentHash.Of(bytes);
        if (bytes.Length > capacity)
            return hash;
        lock (_lock)
        {
            if (_byHash.TryGetValue(hash, out var known))
            {
                _oldestFirst.Remove(known);
                _oldestFirst.AddLast(known);
                return hash;
            }

            _byHash[hash] = _oldestFirst.AddLast((hash, bytes));
            _size += bytes.Length;
            while (_size > capacity)
            {
                var (oldest, gone) = _oldestFirst.First!.Value;
                _oldestFirst.RemoveFirst();
                _ = _byHash.Remove(oldest);
                _size -= gone.Length;
            }
        }

        return hash;
    }

    /// <summary>Finds a text in UTF-8 by its hash.</summary>
    public bool TryGet(string hash, [NotNullWhen(true)] out byte[]? content)
    {
        lock (_lock)
        {
            content = _byHash.TryGetValue(hash, out var node) ? node.Value.Content : null;
            return content is not null;
        }
    }
}
