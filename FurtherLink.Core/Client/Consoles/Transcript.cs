using System.Text;

namespace FurtherLink.Client.Consoles;

/// <summary>What a console received and sent last. Its memory is bounded: the oldest goes. Not thread safe.</summary>
/// <param name="limit">Characters that are kept.</param>
/// <param name="time">The clock.</param>
internal sealed class Transcript(int limit, TimeProvider time)
{
    // Short enough that bounding by whole entries keeps most of the limit.
    private const int MaxEntry = 1024;
    // What an entry with little text takes besides.
    private const int EntryCost = 32;

    private readonly long _since = time.GetTimestamp();
    private readonly Queue<TranscriptEntry> _entries = [];
    private readonly StringBuilder _received = new();
    private TimeSpan _receivedAt;
    private long _receivedFrom;
    private int _size;

    /// <summary>Adds output; pieces that follow one another become one entry, so that it does not matter how they are cut.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="offset">Its offset.</param>
    public void Receive(ReadOnlySpan<char> text, long offset)
    {
        while (!text.IsEmpty)
        {
            if (_received.Length == 0)
                (_receivedAt, _receivedFrom) = (time.GetElapsedTime(_since), offset);
            var part = text[..Math.Min(text.Length, MaxEntry - _received.Length)];
            _received.Append(part);
            text = text[part.Length..];
            if (_received.Length == MaxEntry)
                Close();
        }
    }

    /// <summary>Adds something else.</summary>
    public void Add(TranscriptKind kind, string text, long offset)
    {
        Close();
        if (text.Length > MaxEntry)
            text = $"{text.AsSpan(0, MaxEntry)}... ({text.Length} characters)";
        Add(new TranscriptEntry(kind, time.GetElapsedTime(_since), offset, text));
    }

    /// <summary>What is kept, oldest first.</summary>
    public IReadOnlyList<TranscriptEntry> ToList() =>
        _received.Length == 0 ? [.. _entries] : [.. _entries, Received()];

    private void Close()
    {
        if (_received.Length == 0)
            return;
        Add(Received());
        _received.Clear();
    }

    private TranscriptEntry Received() => new(TranscriptKind.Received, _receivedAt, _receivedFrom, _received.ToString());

    private void Add(TranscriptEntry entry)
    {
        _entries.Enqueue(entry);
        _size += entry.Text.Length + EntryCost;
        while (_size > limit)
            _size -= _entries.Dequeue().Text.Length + EntryCost;
    }
}
