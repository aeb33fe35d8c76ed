using System.Numerics;

namespace FurtherLink.Client.Consoles;

/// <summary>The text that nothing has matched yet. Of more than its limit the oldest goes. Not thread safe.</summary>
/// <param name="limit">Characters that are kept.</param>
internal sealed class UnmatchedText(int limit)
{
    private char[] _chars = [];
    private int _start;
    private int _length;

    /// <summary>Characters that are gone unmatched since the last match.</summary>
    public long Dropped { get; private set; }

    /// <summary>How many characters came before those that are here.</summary>
    public long Position { get; private set; }

    /// <summary>What is here; borrowed until it is changed.</summary>
    public ReadOnlySpan<char> Span => _chars.AsSpan(_start, _length);

    /// <summary>Adds text at the end.</summary>
    public void Append(ReadOnlySpan<char> text)
    {
        var excess = _length + text.Length - limit;
        if (excess > 0)
        {
            Dropped += excess;
            Position += excess;
            var old = Math.Min(excess, _length);
            _start += old;
            _length -= old;
            text = text[(excess - old)..];
        }

        MakeRoom(text.Length);
        text.CopyTo(_chars.AsSpan(_start + _length));
        _length += text.Length;
    }

    /// <summary>Takes text from the beginning.</summary>
    public string Take(int length)
    {
        var taken = new string(_chars, _start, length);
        _start += length;
        _length -= length;
        Position += length;
        Dropped = 0;
        return taken;
    }

    private void MakeRoom(int more)
    {
        if (_start + _length + more <= _chars.Length)
            return;
        // Twice of what is needed, so that moving it is rare.
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)(_length + more)) * 2;
        var to = size > _chars.Length ? new char[size] : _chars;
        Span.CopyTo(to);
        (_chars, _start) = (to, 0);
    }
}
