using System.Text;

namespace FurtherLink.Terminals;

/// <summary>A row of cells. Those after the last one written take no time and no memory: erasing to the end is setting a length.</summary>
/// <param name="columns">How many cells it has.</param>
internal sealed class TerminalRow(int columns)
{
    /// <summary>How many marks a character may have; more are dropped, so that a row's memory is bounded.</summary>
    public const int MaxMarks = 4;

    private Cell[] _cells = [];
    // MaxMarks for each cell, valid where the cell says so; 0 is none.
    private int[]? _marks;
    // From here on all cells are _rest.
    private int _length;
    private Cell _rest = new(' ', default);

    public int Columns { get; private set; } = columns;

    public Cell this[int column] => column < _length ? _cells[column] : _rest;

    /// <summary>The marks on the character of a cell.</summary>
    public ReadOnlySpan<int> Marks(int column)
    {
        if (column >= _length || !_cells[column].HasMarks)
            return [];
        var marks = _marks.AsSpan(column * MaxMarks, MaxMarks);
        var end = marks.IndexOf(0);
        return end < 0 ? marks : marks[..end];
    }

    /// <summary>Sets printable ASCII characters, one for a cell.</summary>
    public void Set(int column, ReadOnlySpan<byte> text, in Style style)
    {
        var end = column + text.Length;
        if (column == _length)
        {
            // The usual case, which has nothing to look at.
            if (_cells.Length == 0)
                _cells = new Cell[Columns];
            _length = end;
        }
        else
        {
            Open(column, end);
        }

        var cells = _cells.AsSpan(column, text.Length);
        for (var i = 0; i < cells.Length; i++)
            cells[i] = new Cell(text[i], style);
    }

    /// <summary>Sets a character of one or two cells.</summary>
    public void Set(int column, int rune, int width, in Style style)
    {
        Open(column, column + width);
        _cells[column] = new Cell(rune, style);
        if (width == 2)
            _cells[column + 1] = Cell.SecondHalf(style);
    }

    /// <summary>Puts a mark on the character of a cell.</summary>
    public void AddMark(int column, int mark)
    {
        Reach(column + 1);
        _marks ??= new int[Columns * MaxMarks];
        var marks = _marks.AsSpan(column * MaxMarks, MaxMarks);
        if (!_cells[column].HasMarks)
        {
            marks.Clear();
            _cells[column] = _cells[column].WithMarks();
        }

        var free = marks.IndexOf(0);
        if (free >= 0)
            marks[free] = mark;
    }

    /// <summary>Erases all cells.</summary>
    public void Clear(in Style fill)
    {
        _length = 0;
        if (!IsRest(fill))
            _rest = new Cell(' ', fill);
    }

    /// <summary>Erases cells.</summary>
    public void Erase(int from, int to, in Style fill)
    {
        if (from >= _length && IsRest(fill))
            return;
        if (to >= Columns)
        {
            Split(from);
            Reach(from);
            _length = from;
            _rest = new Cell(' ', fill);
            return;
        }

        Open(from, to);
        _cells.AsSpan(from, to - from).Fill(new Cell(' ', fill));
    }

    /// <summary>Sets every cell to one character.</summary>
    public void Fill(char character)
    {
        _length = 0;
        _rest = new Cell(character, default);
    }

    /// <summary>Erases cells in the middle after moving the rest to the right, where as many are lost.</summary>
    public void Insert(int column, int count, in Style fill)
    {
        count = Math.Min(count, Columns - column);
        Split(column);
        Split(Columns - count);
        // What is blank after the move need not be moved.
        if (_length > column)
        {
            var moved = Math.Min(_length, Columns - count) - column;
            var length = column + moved + count;
            Reach(length);
            Move(column, column + count, moved);
        }

        Erase(column, column + count, fill);
    }

    /// <summary>Removes cells, moves the rest to the left and erases as many at the end.</summary>
    public void Delete(int column, int count, in Style fill)
    {
        count = Math.Min(count, Columns - column);
        Open(column, column + count);
        if (!IsRest(fill))
            Reach(Columns);
        Move(column + count, column, _length - column - count);
        _length -= count;
        _rest = new Cell(' ', fill);
    }

    public void Resize(int columns)
    {
        Split(columns);
        Columns = columns;
        _length = Math.Min(_length, columns);
        if (_cells.Length > 0)
            Array.Resize(ref _cells, columns);
        if (_marks is not null)
            Array.Resize(ref _marks, columns * MaxMarks);
    }

    /// <summary>The row's text without the blanks at its end.</summary>
    public override string ToString()
    {
        var end = _rest.Rune == ' ' ? _length : Columns;
        var text = new StringBuilder(end);
        for (var column = 0; column < end; column++)
        {
            var cell = this[column];
            if (cell.IsSecondHalf)
                continue;
            text.Append(new Rune(cell.Rune).ToString());
            foreach (var mark in Marks(column))
                text.Append(new Rune(mark).ToString());
        }

        return text.ToString().TrimEnd(' ');
    }

    private bool IsRest(in Style fill) => _rest.Rune == ' ' && _rest.Style == fill;

    // Makes cells ready for being overwritten: they exist, and wide characters that are half inside are gone.
    private void Open(int from, int to)
    {
        Split(from);
        Split(to);
        Reach(to);
    }

    // Blanks the wide character that has its right half here.
    private void Split(int column)
    {
        if (column >= _length || !_cells[column].IsSecondHalf)
            return;
        _cells[column - 1] = new Cell(' ', _cells[column - 1].Style);
        _cells[column] = new Cell(' ', _cells[column].Style);
    }

    private void Reach(int length)
    {
        if (length <= _length)
            return;
        if (_cells.Length == 0)
            _cells = new Cell[Columns];
        _cells.AsSpan(_length, length - _length).Fill(_rest);
        _length = length;
    }

    private void Move(int from, int to, int count)
    {
        if (count <= 0)
            return;
        Array.Copy(_cells, from, _cells, to, count);
        if (_marks is not null)
            Array.Copy(_marks, from * MaxMarks, _marks, to * MaxMarks, count * MaxMarks);
    }
}
