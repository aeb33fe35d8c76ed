namespace FurtherLink.Terminals;

/// <summary>How characters look that are printed from now on, or that a cell shows.</summary>
/// <param name="Foreground">The colour of the character, as <see cref="Palette"/> or <see cref="Rgb"/> make it; 0 is the terminal's own.</param>
/// <param name="Background">The colour behind it.</param>
/// <param name="UnderlineColor">The colour of the line under it; 0 is the character's.</param>
/// <param name="Attributes">Everything else.</param>
internal readonly record struct Style(uint Foreground, uint Background, uint UnderlineColor, StyleAttributes Attributes)
{
    private const uint IsPalette = 1u << 24;
    private const uint IsRgb = 2u << 24;

    /// <summary>What erased cells get: the background alone.</summary>
    public Style WhenErased() => new(0, Background, 0, StyleAttributes.None);

    public static uint Palette(int index) => IsPalette | (byte)index;

    public static uint Rgb(int red, int green, int blue) => IsRgb | ((uint)(byte)red << 16) | ((uint)(byte)green << 8) | (byte)blue;

    /// <summary>Whether a colour is one of the 256 of the palette.</summary>
    public static bool IsOfPalette(uint color) => (color & IsPalette) != 0;
}

/// <summary>Attributes of characters; the kind of underline is a number in three of the bits.</summary>
[Flags]
internal enum StyleAttributes
{
    None = 0,
    Bold = 1,
    Faint = 1 << 1,
    Italic = 1 << 2,
    Blink = 1 << 3,
    Inverse = 1 << 4,
    Invisible = 1 << 5,
    Struck = 1 << 6,
    Overlined = 1 << 7,
    Underlined = 1 << 8,
    UnderlinedTwice = 2 << 8,
    UnderlinedByWave = 3 << 8,
    UnderlinedByDots = 4 << 8,
    UnderlinedByDashes = 5 << 8,
    AnyUnderline = 7 << 8,
}
