namespace FurtherLink.Terminals;

/// <summary>One place of the screen: a character and how it looks.</summary>
internal readonly struct Cell
{
    // Beside the character: marks are kept by the row, so that cells stay small.
    private const int MarksFlag = 1 << 30;
    private const int SecondHalfGlyph = -1;

    private readonly int _glyph;

    public Cell(int rune, in Style style)
    {
        _glyph = rune;
        Style = style;
    }

    public Style Style { get; }

    /// <summary>The character; a space where nothing was printed.</summary>
    public int Rune => _glyph & ~MarksFlag;

    /// <summary>The right half of the wide character before it.</summary>
    public bool IsSecondHalf => _glyph == SecondHalfGlyph;

    /// <summary>Whether the row has marks for it.</summary>
    public bool HasMarks => _glyph > MarksFlag;

    /// <summary>Whether it shows nothing but a background.</summary>
    public bool IsErased => _glyph == ' ' && Style == Style.WhenErased();

    public static Cell SecondHalf(in Style style) => new(SecondHalfGlyph, style);

    public Cell WithMarks() => new(_glyph | MarksFlag, Style);
}
