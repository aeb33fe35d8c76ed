namespace FurtherLink.Terminals;

/// <summary>The rows of a screen. Scrolling all of it moves no row.</summary>
internal sealed class TerminalBuffer
{
    private TerminalRow[] _rows;
    // Where the first row is in _rows, which goes on at its beginning.
    private int _top;

    public TerminalBuffer(int rows, int columns)
    {
        _rows = new TerminalRow[rows];
        for (var i = 0; i < rows; i++)
            _rows[i] = new TerminalRow(columns);
    }

    public int Count => _rows.Length;

    public TerminalRow this[int index]
    {
        get
        {
            var at = _top + index;
            return _rows[at < _rows.Length ? at : at - _rows.Length];
        }
    }

    /// <summary>Moves rows up: those at the top are lost, as many erased ones come at the bottom.</summary>
    /// <param name="top">The first row that takes part.</param>
    /// <param name="bottom">The last one.</param>
    /// <param name="count">How far they move.</param>
    /// <param name="fill">What is erased gets this style.</param>
    public void ScrollUp(int top, int bottom, int count, in Style fill)
    {
        if (count == 1 && top == 0 && bottom == _rows.Length - 1)
        {
            _rows[_top].Clear(fill);
            if (++_top == _rows.Length)
                _top = 0;
            return;
        }

        count = Math.Min(count, bottom - top + 1);
        for (var i = top; i < top + count; i++)
            this[i].Clear(fill);
        if (top == 0 && bottom == _rows.Length - 1)
            _top = (_top + count) % _rows.Length;
        else
            Rotate(top, bottom, count);
    }

    /// <summary>Moves rows down: those at the bottom are lost, as many erased ones come at the top.</summary>
    public void ScrollDown(int top, int bottom, int count, in Style fill)
    {
        var height = bottom - top + 1;
        count = Math.Min(count, height);
        for (var i = bottom - count + 1; i <= bottom; i++)
            this[i].Clear(fill);
        if (height == _rows.Length)
            _top = (_top + height - count) % height;
        else
            Rotate(top, bottom, height - count);
    }

    public void Erase(int from, int to, in Style fill)
    {
        for (var i = from; i < to; i++)
            this[i].Clear(fill);
    }

    /// <summary>Changes the size without moving text between rows.</summary>
    /// <param name="rows">The new number of rows.</param>
    /// <param name="columns">The new number of cells in each.</param>
    /// <param name="keep">The row that must stay: those below it are given up first, then those at the top.</param>
    /// <returns>How many rows went at the top.</returns>
    public int Resize(int rows, int columns, int keep)
    {
        var lost = Math.Max(0, keep - rows + 1);
        var resized = new TerminalRow[rows];
        for (var i = 0; i < rows; i++)
        {
            if (i + lost < Count)
            {
                resized[i] = this[i + lost];
                resized[i].Resize(columns);
            }
            else
            {
                resized[i] = new TerminalRow(columns);
            }
        }

        (_rows, _top) = (resized, 0);
        return lost;
    }

    // Rows that pass the top come in again at the bottom.
    private void Rotate(int top, int bottom, int count)
    {
        if (_top != 0)
        {
            Rotate(_rows, _top);
            _top = 0;
        }

        Rotate(_rows.AsSpan(top, bottom - top + 1), count);
    }

    private static void Rotate(Span<TerminalRow> rows, int count)
    {
        if (count == 1)
        {
            var first = rows[0];
            rows[1..].CopyTo(rows);
            rows[^1] = first;
            return;
        }

        rows[..count].Reverse();
        rows[count..].Reverse();
        rows.Reverse();
    }
}
