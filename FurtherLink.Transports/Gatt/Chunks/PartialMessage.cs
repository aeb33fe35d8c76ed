namespace FurtherLink.Transports.Gatt.Chunks;

/// <summary>A message of which some chunks have come: those in order lie together, others wait for what is before them.</summary>
/// <param name="id">Its id.</param>
/// <param name="last">The index of its last chunk.</param>
internal sealed class PartialMessage(ushort id, int last)
{
    // What it costs to remember a message, and a chunk that waits: so that empty ones are not free.
    private const int Cost = 128;
    private const int WaitingCost = 96;

    private readonly SortedDictionary<int, byte[]> _waiting = [];
    private byte[] _bytes = [];
    private int _length;
    private int _waitingBytes;
    private int _next;

    /// <summary>Its id.</summary>
    public ushort Id { get; } = id;

    /// <summary>The index of its last chunk.</summary>
    public int Last { get; } = last;

    /// <summary>When a chunk of it came last.</summary>
    public long Touched { get; set; }

    /// <summary>Bytes that have come of it.</summary>
    public int Length => _length + _waitingBytes;

    /// <summary>Bytes that it holds, what keeps it together included.</summary>
    public int Held => Cost + _bytes.Length + _waitingBytes + (_waiting.Count * WaitingCost);

    /// <summary>Whether all chunks have come.</summary>
    public bool IsWhole => _next > Last;

    /// <summary>Its bytes so far, in order.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, _length);

    /// <summary>Whether a chunk has come.</summary>
    public bool Has(int index) => index < _next || _waiting.ContainsKey(index);

    /// <summary>Takes a chunk that has not come.</summary>
    public void Add(int index, ReadOnlySpan<byte> bytes)
    {
        if (index > _next)
        {
            _waiting.Add(index, bytes.ToArray());
            _waitingBytes += bytes.Length;
            return;
        }

        Append(bytes);
        while (_waiting.Remove(_next, out var waited))
        {
            _waitingBytes -= waited.Length;
            Append(waited);
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - _length < bytes.Length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes.Length));
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
        _next++;
    }
}
