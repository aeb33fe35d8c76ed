namespace FurtherLink.Terminals;

/// <summary>Where and how the next character is printed: what DECSC saves.</summary>
internal record struct CursorState
{
    public int Row { get; set; }

    public int Column { get; set; }

    /// <summary>The last column was printed: the next character begins a row first.</summary>
    public bool PendingWrap { get; set; }

    /// <summary>Rows are counted from the scroll region's first, and the cursor stays inside (DECOM).</summary>
    public bool Origin { get; set; }

    public Style Style { get; set; }

    public Charset G0 { get; set; }

    public Charset G1 { get; set; }

    /// <summary>Whether G1 is in use (SO), not G0 (SI).</summary>
    public bool Shifted { get; set; }

    public readonly Charset Charset => Shifted ? G1 : G0;

    /// <summary>Whether nothing about characters differs from a reset terminal.</summary>
    public readonly bool HasInitialCharsets => G0 == Charset.Ascii && G1 == Charset.Ascii && !Shifted;
}

/// <summary>What the codes of ASCII print.</summary>
internal enum Charset
{
    Ascii,
    British,
    LineDrawing,
}
