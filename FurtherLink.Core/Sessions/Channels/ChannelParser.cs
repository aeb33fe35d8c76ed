using System.Text;

namespace FurtherLink.Sessions.Channels;

/// <summary>
/// Cuts what a program writes to a side channel into messages: each is its text and then " end" with the channel's name and a space
/// ("hello endvideo "). It does not matter where reads cut the bytes. Not thread safe.
/// </summary>
/// <remarks>
/// Spaces are part of the text; other white space before a text is not (a line break behind the message before). An empty text is
/// dropped, as is a text longer than the limit. The space behind the last word may be missing where the program writes nothing more
/// for now: <see cref="TryRead"/> is told so.
/// </remarks>
internal sealed class ChannelParser : IDisposable
{
    private const int FirstBuffer = 4096;

    // A line break, "\r\n" at most, may stand behind the last word instead of the space.
    private const int MaxLineBreak = 2;

    private readonly byte[] _terminator;
    private readonly int _maxMessage;
    private readonly ChannelBudget _budget;

    private byte[] _buffer = [];
    private int _start;    // the text begins here
    private int _scanned;  // no terminator begins before this
    private int _end;
    private bool _discarding;
    private bool _spaceDue;

    /// <summary>Makes a parser at the start of a connection.</summary>
    /// <param name="channel">The channel's name ("video").</param>
    /// <param name="maxMessage">The longest text in bytes.</param>
    /// <param name="budget">What this and other connections may hold together; a text that does not fit is dropped.</param>
    public ChannelParser(string channel, int maxMessage, ChannelBudget budget)
    {
        _terminator = Encoding.UTF8.GetBytes(" end" + channel);
        _maxMessage = maxMessage;
        _budget = budget;
    }

    /// <summary>Whether all that is missing is the space behind the last word.</summary>
    public bool IsSpaceMissing { get; private set; }

    /// <summary>Texts dropped so far because they were too long.</summary>
    public int Dropped { get; private set; }

    /// <summary>Room for the next bytes, never empty; asked for when <see cref="TryRead"/> has returned false.</summary>
    public Memory<byte> GetMemory()
    {
        MakeRoom();
        return _buffer.AsMemory(_end);
    }

    /// <summary>Says how many bytes were put there.</summary>
    public void Advance(int count) => _end += count;

    /// <summary>Takes the next text.</summary>
    /// <param name="atRest">Nothing more is there for now, or ever: a terminator counts without its space.</param>
    /// <param name="message">The text; bytes that are no UTF-8 are U+FFFD.</param>
    /// <returns>False where there is no whole one.</returns>
    public bool TryRead(bool atRest, out string message)
    {
        while (TryFindEnd(atRest, out var length, out var next))
        {
            var text = _buffer.AsSpan(_start, length);
            var whole = !_discarding && length <= _maxMessage;
            message = whole ? Encoding.UTF8.GetString(text) : "";
            if (!whole)
                Dropped++;
            _discarding = false;
            _start = _scanned = next;
            if (message.Length > 0)
                return true;
        }
        message = "";
        return false;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        _budget.Return(Math.Max(0, _buffer.Length - FirstBuffer));
        _buffer = [];
        _start = _scanned = _end = 0;
    }

    /// <summary>Looks for the end of the text that begins at the start.</summary>
    private bool TryFindEnd(bool atRest, out int length, out int next)
    {
        IsSpaceMissing = false;
        SkipBetween();
        while (TryFindWord(out length, out var behind))
        {
            var rest = _buffer.AsSpan(behind, _end - behind);
            if (!rest.IsEmpty && rest[0] == ' ')
            {
                next = behind + 1;
                return true;
            }
            if (rest.Length <= MaxLineBreak && !rest.ContainsAnyExcept("\t\n\v\f\r"u8))
            {
                next = _end;
                IsSpaceMissing = !atRest;
                _spaceDue = atRest;
                return atRest;
            }
            _scanned = behind;  // a longer word: data
        }
        next = 0;
        return false;
    }

    /// <summary>Passes the space that a terminator came without, and line breaks, before a text.</summary>
    private void SkipBetween()
    {
        if (_discarding || _scanned > _start)
            return;
        if (_spaceDue && _start < _end)
        {
            _spaceDue = false;
            if (_buffer[_start] == ' ')
                _start++;
        }
        while (_start < _end && _buffer[_start] is >= (byte)'\t' and <= (byte)'\r')
            _start++;
        _scanned = _start;
    }

    /// <summary>Finds the terminator from where the last search ended, without its space; at the start of a text the word alone is one.</summary>
    private bool TryFindWord(out int length, out int behind)
    {
        var word = _terminator.AsSpan(1);
        if (_scanned == _start && !_discarding && _buffer.AsSpan(_start, _end - _start).StartsWith(word))
        {
            length = 0;
            behind = _start + word.Length;
            return true;
        }
        var found = _buffer.AsSpan(_scanned, _end - _scanned).IndexOf(_terminator);
        if (found >= 0)
        {
            _scanned += found;
            length = _scanned - _start;
            behind = _scanned + _terminator.Length;
            return true;
        }
        // A word that is cut at the end is looked at again; at the start of a text it has no space before it.
        if (_discarding || _end - _start >= word.Length)
            _scanned = Math.Max(_scanned, _end - _terminator.Length + 1);
        length = behind = 0;
        return false;
    }

    /// <summary>Makes room for more behind the end: moves what is left to the front, or takes a larger buffer, or begins to drop.</summary>
    private void MakeRoom()
    {
        if (_start == _end)
            Move(_start);
        if (_end < _buffer.Length)
            return;
        if (_start >= _buffer.Length / 2 && _start > 0)
            Move(_start);
        else if (!_discarding && TryGrow())
            return;
        else if (_start > 0)
            Move(_start);
        else
        {
            // Only what may be the beginning of the terminator is kept of a text that is dropped.
            _discarding = true;
            Move(_end - (_terminator.Length + MaxLineBreak));
        }
    }

    private void Move(int from)
    {
        _buffer.AsSpan(from, _end - from).CopyTo(_buffer);
        _scanned = Math.Max(0, _scanned - from);
        _start = Math.Max(0, _start - from);
        _end -= from;
    }

    private bool TryGrow()
    {
        // The first buffer is every connection's own; what is more than that counts.
        var size = _buffer.Length == 0 ? FirstBuffer : (int)Math.Min(2L * _buffer.Length, (long)_maxMessage + FirstBuffer);
        if (size == _buffer.Length || (_buffer.Length > 0 && !_budget.TryTake(size - _buffer.Length)))
            return false;
        Array.Resize(ref _buffer, size);
        return true;
    }
}
