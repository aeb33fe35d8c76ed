namespace FurtherLink.Transports.Gatt.Chunks;

/// <summary>
/// Puts the messages together that one side sends to one characteristic: their chunks may come in any order, twice, and in between those of other messages.
/// What is half received is bounded: the message that has waited longest goes first. Used by one thread at a time.
/// </summary>
/// <param name="maxMessage">The longest message that is accepted, in bytes.</param>
/// <param name="maxHeld">Bytes of half-received messages at most, what keeps them together included.</param>
/// <param name="time">The clock.</param>
internal sealed class ChunkAssembler(int maxMessage, int maxHeld, TimeProvider time)
{
    /// <summary>Half-received messages at most.</summary>
    public const int MaxMessages = 16;

    /// <summary>How long a message may lie without a further chunk.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly LinkedList<PartialMessage> _partials = new(); // the one touched last at the end

    /// <summary>Half-received messages.</summary>
    public int Count => _partials.Count;

    /// <summary>Bytes of them, what keeps them together included.</summary>
    public int Held { get; private set; }

    /// <summary>Half-received messages that were given up: for their age, for others, or as their sender began another of the same id.</summary>
    public long Dropped { get; private set; }

    /// <summary>Takes a chunk.</summary>
    /// <param name="chunk">The chunk with its header.</param>
    /// <param name="message">The message that it completes; valid until the next call.</param>
    /// <returns>False where it completes none.</returns>
    /// <exception cref="ChunkException">It is no chunk, or its message is too long, which is given up then; others are not touched.</exception>
    public bool TryAdd(ReadOnlySpan<byte> chunk, out ReadOnlyMemory<byte> message)
    {
        message = default;
        var header = ChunkHeader.Read(chunk);
        if (chunk.Length > ChunkedMessage.MaxChunk)
            throw new ChunkException($"a chunk of {chunk.Length} bytes; there are at most {ChunkedMessage.MaxChunk}");
        DropOld();
        return Take(header, chunk[ChunkHeader.Size..], out message);
    }

    /// <summary>Gives up all that is half received.</summary>
    public void Clear()
    {
        while (_partials.First is { } node)
            Remove(node);
    }

    private bool Take(ChunkHeader header, ReadOnlySpan<byte> bytes, out ReadOnlyMemory<byte> message)
    {
        var node = Find(header);
        if (header.Last > 0)
        {
            if (node is null)
                node = Begin(header);
            else
                Touch(node);
            return Add(node, header, bytes, out message);
        }

        message = bytes.Length <= maxMessage ? bytes.ToArray() : throw new ChunkException($"a message of more than {maxMessage} bytes");
        return true;
    }

    private bool Add(LinkedListNode<PartialMessage> node, ChunkHeader header, ReadOnlySpan<byte> bytes, out ReadOnlyMemory<byte> message)
    {
        message = default;
        var partial = node.Value;
        if (partial.Has(header.Index))
            return false;
        var before = partial.Held;
        if (partial.Length + bytes.Length > maxMessage)
        {
            Drop(node);
            throw new ChunkException($"a message of more than {maxMessage} bytes");
        }

        partial.Add(header.Index, bytes);
        Held += partial.Held - before;
        if (partial.IsWhole)
        {
            Remove(node);
            message = partial.Bytes;
            return true;
        }

        while (Held > maxHeld && _partials.First is { } oldest && oldest != node)
            Drop(oldest);
        if (Held > maxHeld)
        {
            Drop(node);
            throw new ChunkException($"more than {maxHeld} bytes of half-received messages");
        }

        return false;
    }

    private LinkedListNode<PartialMessage>? Find(ChunkHeader header)
    {
        for (var node = _partials.Last; node is not null; node = node.Previous)
        {
            if (node.Value.Id != header.Message)
                continue;
            if (node.Value.Last == header.Last)
                return node;
            // Its sender has given the other up, or 16 bits have met by chance.
            Drop(node);
            return null;
        }

        return null;
    }

    private LinkedListNode<PartialMessage> Begin(ChunkHeader header)
    {
        if (_partials.Count == MaxMessages)
            Drop(_partials.First!);
        var partial = new PartialMessage(header.Message, header.Last) { Touched = time.GetTimestamp() };
        Held += partial.Held;
        return _partials.AddLast(partial);
    }

    private void Touch(LinkedListNode<PartialMessage> node)
    {
        node.Value.Touched = time.GetTimestamp();
        _partials.Remove(node);
        _partials.AddLast(node);
    }

    private void DropOld()
    {
        while (_partials.First is { } node && time.GetElapsedTime(node.Value.Touched) > Patience)
            Drop(node);
    }

    private void Drop(LinkedListNode<PartialMessage> node)
    {
        Dropped++;
        Remove(node);
    }

    private void Remove(LinkedListNode<PartialMessage> node)
    {
        Held -= node.Value.Held;
        _partials.Remove(node);
    }
}
