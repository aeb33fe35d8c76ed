namespace FurtherLink.Terminals;

/// <summary>SGR, the sequence that says how characters look.</summary>
internal static class Sgr
{
    /// <summary>The style after a sequence.</summary>
    public static Style Apply(Style style, VtParameters parameters)
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            var end = i + 1;
            while (end < parameters.Count && parameters.IsAttached(end))
                end++;
            var code = parameters[i];
            if (code is 38 or 48 or 58)
            {
                // 38:2:r:g:b is one number with others attached, 38;2;r;g;b five numbers.
                var color = end > i + 1 ? ReadAttached(parameters, i + 1, end) : ReadSeparate(parameters, i + 1, out end);
                if (color is { } found)
                    style = With(style, code, found);
            }
            else if (code == 4 && end > i + 1)
            {
                style = Underlined(style, parameters[i + 1]);
            }
            else if (end == i + 1)
            {
                style = Apply(style, code);
            }

            i = end - 1;
        }

        return style;
    }

    private static Style Apply(Style style, int code) => code switch
    {
        0 => default,
        1 => Add(style, StyleAttributes.Bold),
        2 => Add(style, StyleAttributes.Faint),
        3 => Add(style, StyleAttributes.Italic),
        4 => Underlined(style, 1),
        5 or 6 => Add(style, StyleAttributes.Blink),
        7 => Add(style, StyleAttributes.Inverse),
        8 => Add(style, StyleAttributes.Invisible),
        9 => Add(style, StyleAttributes.Struck),
        21 => Underlined(style, 2),
        22 => Remove(style, StyleAttributes.Bold | StyleAttributes.Faint),
        23 => Remove(style, StyleAttributes.Italic),
        24 => Underlined(style, 0),
        25 => Remove(style, StyleAttributes.Blink),
        27 => Remove(style, StyleAttributes.Inverse),
        28 => Remove(style, StyleAttributes.Invisible),
        29 => Remove(style, StyleAttributes.Struck),
        >= 30 and <= 37 => style with { Foreground = Style.Palette(code - 30) },
        39 => style with { Foreground = 0 },
        >= 40 and <= 47 => style with { Background = Style.Palette(code - 40) },
        49 => style with { Background = 0 },
        53 => Add(style, StyleAttributes.Overlined),
        55 => Remove(style, StyleAttributes.Overlined),
        59 => style with { UnderlineColor = 0 },
        >= 90 and <= 97 => style with { Foreground = Style.Palette(code - 90 + 8) },
        >= 100 and <= 107 => style with { Background = Style.Palette(code - 100 + 8) },
        _ => style,
    };

    private static Style With(Style style, int code, uint color) => code switch
    {
        38 => style with { Foreground = color },
        48 => style with { Background = color },
        _ => style with { UnderlineColor = color },
    };

    private static Style Add(Style style, StyleAttributes attributes) => style with { Attributes = style.Attributes | attributes };

    private static Style Remove(Style style, StyleAttributes attributes) => style with { Attributes = style.Attributes & ~attributes };

    private static Style Underlined(Style style, int kind) => kind is < 0 or > 5
        ? style
        : style with { Attributes = (style.Attributes & ~StyleAttributes.AnyUnderline) | (StyleAttributes)(kind << 8) };

    // 5:n, 2:r:g:b, and 2:space:r:g:b as the standard has it.
    private static uint? ReadAttached(VtParameters parameters, int from, int end)
    {
        var count = end - from;
        return parameters[from] switch
        {
            5 when count >= 2 => Palette(parameters[from + 1]),
            2 when count == 4 => Rgb(parameters, from + 1),
            2 when count >= 5 => Rgb(parameters, from + 2),
            _ => null,
        };
    }

    // What is cut off or unknown takes the rest with it.
    private static uint? ReadSeparate(VtParameters parameters, int from, out int end)
    {
        var count = parameters.Count - from;
        switch (parameters[from])
        {
            case 5 when count >= 2:
                end = from + 2;
                return Palette(parameters[from + 1]);
            case 2 when count >= 4:
                end = from + 4;
                return Rgb(parameters, from + 1);
            default:
                end = parameters.Count;
                return null;
        }
    }

    private static uint? Palette(int index) => index < 256 ? Style.Palette(index) : null;

    private static uint? Rgb(VtParameters parameters, int from)
    {
        var (red, green, blue) = (parameters[from], parameters[from + 1], parameters[from + 2]);
        return red < 256 && green < 256 && blue < 256 ? Style.Rgb(red, green, blue) : null;
    }
}
