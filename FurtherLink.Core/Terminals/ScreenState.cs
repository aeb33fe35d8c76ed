namespace FurtherLink.Terminals;

/// <summary>All that a terminal remembers, and what printing and control functions do to it. Functions are named as in the standards.</summary>
internal sealed class ScreenState
{
    // What DEC Special Graphics prints for 0x5F to 0x7E.
    private const string LineDrawing = "\u00A0◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·";

    private CursorState _savedInMain;
    private CursorState _savedInAlternate;
    private CursorState _cursor;

    public ScreenState(int rows, int columns)
    {
        (Rows, Columns) = (rows, columns);
        Main = Buffer = new TerminalBuffer(rows, columns);
        Reset();
    }

    public int Rows { get; private set; }

    public int Columns { get; private set; }

    /// <summary>The rows that show.</summary>
    public TerminalBuffer Buffer { get; private set; }

    /// <summary>The rows that show again after the alternate screen; the same while it is not active.</summary>
    public TerminalBuffer Main { get; }

    public bool IsAlternate => Buffer != Main;

    public ref CursorState Cursor => ref _cursor;

    public ref CursorState Saved => ref IsAlternate ? ref _savedInAlternate : ref _savedInMain;

    public ref CursorState SavedInMain => ref _savedInMain;

    public TerminalModes Modes { get; } = new();

    public TabStops Tabs { get; } = new();

    /// <summary>The scroll region's first row.</summary>
    public int Top { get; private set; }

    /// <summary>The scroll region's last row.</summary>
    public int Bottom { get; private set; }

    public string Title { get; set; } = "";

    /// <summary>The character printed last, where nothing came after it; else 0.</summary>
    public int LastPrinted { get; set; }

    private Style Fill => _cursor.Style.WhenErased();

    public void Reset()
    {
        if (IsAlternate)
            Buffer = Main;
        Buffer.Erase(0, Rows, default);
        _cursor = _savedInMain = _savedInAlternate = default;
        (Top, Bottom) = (0, Rows - 1);
        Modes.Reset();
        LastPrinted = 0;
        Tabs.Reset();
    }

    /// <summary>DECSTR.</summary>
    public void SoftReset()
    {
        Modes.SoftReset();
        (Top, Bottom) = (0, Rows - 1);
        _cursor.Origin = false;
        _cursor.Style = default;
        _cursor.G0 = _cursor.G1 = Charset.Ascii;
        _cursor.Shifted = false;
        Saved = default;
    }

    public void Resize(int rows, int columns)
    {
        if (rows == Rows && columns == Columns)
            return;
        var lostInMain = Main.Resize(rows, columns, IsAlternate ? _savedInMain.Row : _cursor.Row);
        var lost = IsAlternate ? Buffer.Resize(rows, columns, _cursor.Row) : lostInMain;
        (Rows, Columns) = (rows, columns);
        (Top, Bottom) = (0, rows - 1);
        Fit(ref _cursor, lost);
        Fit(ref _savedInMain, lostInMain);
        Fit(ref _savedInAlternate, lost);
        LastPrinted = 0;
    }

    public void Print(ReadOnlySpan<byte> text)
    {
        if (_cursor.Charset != Charset.Ascii || Modes.Has(TerminalFlags.Insert))
        {
            foreach (var code in text)
                Print(Translate(code));
            return;
        }

        LastPrinted = text[^1];
        while (!text.IsEmpty)
        {
            if (_cursor.PendingWrap)
            {
                if (Modes.Has(TerminalFlags.AutoWrap))
                    NextLine();
                else
                    text = text[^1..];
            }

            var count = Math.Min(text.Length, Columns - _cursor.Column);
            Buffer[_cursor.Row].Set(_cursor.Column, text[..count], _cursor.Style);
            text = text[count..];
            Advance(count);
        }
    }

    public void Print(int rune)
    {
        var width = CharacterWidth.Of(rune);
        if (width == 0)
        {
            AddMark(rune);
            return;
        }

        // A wide character that cannot be in the last column goes to the next row, as one after the last column does.
        if (_cursor.PendingWrap || _cursor.Column + width > Columns)
        {
            if (Modes.Has(TerminalFlags.AutoWrap))
                NextLine();
            if (_cursor.Column + width > Columns)
                return;
        }

        var row = Buffer[_cursor.Row];
        if (Modes.Has(TerminalFlags.Insert))
            row.Insert(_cursor.Column, width, Fill);
        row.Set(_cursor.Column, rune, width, _cursor.Style);
        Advance(width);
        LastPrinted = rune;
    }

    /// <summary>REP. More than fills the screen makes no difference but to the time it takes.</summary>
    public void Repeat(int count)
    {
        var rune = LastPrinted;
        if (rune == 0)
            return;
        count = Math.Min(count, Rows * Columns);
        if (rune < 0x7F)
        {
            Span<byte> text = stackalloc byte[Math.Min(count, 256)];
            text.Fill((byte)rune);
            for (; count > 0; count -= text.Length)
                Print(text[..Math.Min(count, text.Length)]);
        }
        else
        {
            for (; count > 0; count--)
                Print(rune);
        }
    }

    public void CarriageReturn()
    {
        _cursor.Column = 0;
        _cursor.PendingWrap = false;
    }

    /// <summary>IND: down, at the bottom of the region by scrolling it.</summary>
    public void Index()
    {
        _cursor.PendingWrap = false;
        if (_cursor.Row == Bottom)
            Buffer.ScrollUp(Top, Bottom, 1, Fill);
        else if (_cursor.Row < Rows - 1)
            _cursor.Row++;
    }

    /// <summary>RI: up, at the top of the region by scrolling it.</summary>
    public void ReverseIndex()
    {
        _cursor.PendingWrap = false;
        if (_cursor.Row == Top)
            Buffer.ScrollDown(Top, Bottom, 1, Fill);
        else if (_cursor.Row > 0)
            _cursor.Row--;
    }

    public void NextLine()
    {
        Index();
        _cursor.Column = 0;
    }

    /// <summary>CUP: to a row counted as <see cref="CursorState.Origin"/> says, and a column, both from 0 and made to fit.</summary>
    public void MoveTo(int row, int column)
    {
        var (first, last) = _cursor.Origin ? (Top, Bottom) : (0, Rows - 1);
        _cursor.Row = Math.Min(first + row, last);
        _cursor.Column = Math.Clamp(column, 0, Columns - 1);
        _cursor.PendingWrap = false;
    }

    /// <summary>VPR, or VPA from where it is.</summary>
    public void MoveTo(int row) => MoveTo(row, _cursor.Column);

    /// <summary>Where <see cref="MoveTo(int)"/> counts from.</summary>
    public int OriginRow() => _cursor.Origin ? Top : 0;

    public void MoveToColumn(int column)
    {
        _cursor.Column = Math.Clamp(column, 0, Columns - 1);
        _cursor.PendingWrap = false;
    }

    public void Up(int count)
    {
        var limit = _cursor.Row >= Top ? Top : 0;
        _cursor.Row = Math.Max(limit, _cursor.Row - count);
        _cursor.PendingWrap = false;
    }

    public void Down(int count)
    {
        var limit = _cursor.Row <= Bottom ? Bottom : Rows - 1;
        _cursor.Row = Math.Min(limit, _cursor.Row + count);
        _cursor.PendingWrap = false;
    }

    /// <summary>CHT. At the end of a row nothing moves, and the next character still goes to the next row.</summary>
    public void Tab(int count)
    {
        for (; count > 0 && _cursor.Column < Columns - 1; count--)
            _cursor.Column = Tabs.After(_cursor.Column, Columns - 1);
    }

    /// <summary>CBT.</summary>
    public void TabBack(int count)
    {
        _cursor.PendingWrap = false;
        for (; count > 0 && _cursor.Column > 0; count--)
            _cursor.Column = Tabs.Before(_cursor.Column);
    }

    /// <summary>ED.</summary>
    public void EraseInDisplay(int which)
    {
        switch (which)
        {
            case 0:
                EraseInLine(0);
                Buffer.Erase(_cursor.Row + 1, Rows, Fill);
                break;
            case 1:
                Buffer.Erase(0, _cursor.Row, Fill);
                EraseInLine(1);
                break;
            case 2:
                _cursor.PendingWrap = false;
                Buffer.Erase(0, Rows, Fill);
                break;
        }
    }

    /// <summary>EL.</summary>
    public void EraseInLine(int which)
    {
        var row = Buffer[_cursor.Row];
        _cursor.PendingWrap = false;
        switch (which)
        {
            case 0:
                row.Erase(_cursor.Column, Columns, Fill);
                break;
            case 1:
                row.Erase(0, _cursor.Column + 1, Fill);
                break;
            case 2:
                row.Erase(0, Columns, Fill);
                break;
        }
    }

    /// <summary>ECH.</summary>
    public void EraseCharacters(int count)
    {
        _cursor.PendingWrap = false;
        Buffer[_cursor.Row].Erase(_cursor.Column, Math.Min(Columns, _cursor.Column + count), Fill);
    }

    /// <summary>ICH.</summary>
    public void InsertCharacters(int count)
    {
        _cursor.PendingWrap = false;
        Buffer[_cursor.Row].Insert(_cursor.Column, count, Fill);
    }

    /// <summary>DCH.</summary>
    public void DeleteCharacters(int count)
    {
        _cursor.PendingWrap = false;
        Buffer[_cursor.Row].Delete(_cursor.Column, count, Fill);
    }

    /// <summary>IL.</summary>
    public void InsertLines(int count)
    {
        if (_cursor.Row < Top || _cursor.Row > Bottom)
            return;
        Buffer.ScrollDown(_cursor.Row, Bottom, count, Fill);
        CarriageReturn();
    }

    /// <summary>DL.</summary>
    public void DeleteLines(int count)
    {
        if (_cursor.Row < Top || _cursor.Row > Bottom)
            return;
        Buffer.ScrollUp(_cursor.Row, Bottom, count, Fill);
        CarriageReturn();
    }

    /// <summary>SU.</summary>
    public void ScrollUp(int count) => Buffer.ScrollUp(Top, Bottom, count, Fill);

    /// <summary>SD.</summary>
    public void ScrollDown(int count) => Buffer.ScrollDown(Top, Bottom, count, Fill);

    /// <summary>DECSTBM, rows from 0; a region of less than two rows is none.</summary>
    public void SetScrollRegion(int top, int bottom)
    {
        bottom = Math.Min(bottom, Rows - 1);
        if (top >= bottom)
            return;
        (Top, Bottom) = (top, bottom);
        MoveTo(0, 0);
    }

    /// <summary>DECOM.</summary>
    public void SetOrigin(bool on)
    {
        _cursor.Origin = on;
        MoveTo(0, 0);
    }

    /// <summary>DECSC.</summary>
    public void Save() => Saved = _cursor;

    /// <summary>DECRC; home where nothing was saved.</summary>
    public void Restore()
    {
        _cursor = Saved;
        if (_cursor.Origin)
            _cursor.Row = Math.Clamp(_cursor.Row, Top, Bottom);
    }

    /// <summary>Shows the alternate screen, empty, or the main one again.</summary>
    public void SwitchTo(bool alternate)
    {
        if (alternate == IsAlternate)
            return;
        if (alternate)
        {
            Buffer = new TerminalBuffer(Rows, Columns);
            Buffer.Erase(0, Rows, Fill);
            _savedInAlternate = default;
        }
        else
        {
            Buffer = Main;
        }
    }

    /// <summary>DECALN: E everywhere.</summary>
    public void Align()
    {
        (Top, Bottom) = (0, Rows - 1);
        MoveTo(0, 0);
        for (var i = 0; i < Rows; i++)
            Buffer[i].Fill('E');
    }

    private void AddMark(int mark)
    {
        LastPrinted = 0;
        var column = _cursor.PendingWrap ? _cursor.Column : _cursor.Column - 1;
        if (column < 0)
            return;
        var row = Buffer[_cursor.Row];
        row.AddMark(row[column].IsSecondHalf ? column - 1 : column, mark);
    }

    private void Advance(int count)
    {
        _cursor.Column += count;
        if (_cursor.Column < Columns)
            return;
        _cursor.Column = Columns - 1;
        _cursor.PendingWrap = true;
    }

    private int Translate(byte code) => _cursor.Charset switch
    {
        Charset.LineDrawing when code >= 0x5F => LineDrawing[code - 0x5F],
        Charset.British when code == '#' => '£',
        _ => code,
    };

    private void Fit(ref CursorState cursor, int lost)
    {
        cursor.Row = Math.Clamp(cursor.Row - lost, 0, Rows - 1);
        cursor.Column = Math.Min(cursor.Column, Columns - 1);
        cursor.PendingWrap = false;
    }
}
