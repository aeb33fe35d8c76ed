namespace FurtherLink.Terminals;

/// <summary>What a program has switched on or off, beside its cursor.</summary>
internal sealed class TerminalModes
{
    private const TerminalFlags Initial = TerminalFlags.AutoWrap | TerminalFlags.CursorVisible;

    private static readonly (int Number, TerminalFlags Flag)[] Private =
    [
        (1, TerminalFlags.ApplicationCursor),
        (5, TerminalFlags.ReverseVideo),
        (7, TerminalFlags.AutoWrap),
        (12, TerminalFlags.CursorBlinks),
        (25, TerminalFlags.CursorVisible),
        (1004, TerminalFlags.ReportsFocus),
        (1007, TerminalFlags.AlternateScroll),
        (2004, TerminalFlags.BracketedPaste),
    ];

    public TerminalFlags Flags { get; private set; } = Initial;

    /// <summary>What of the mouse is reported: 9, 1000 to 1003, or 0 for nothing. One at a time, the last that was asked for.</summary>
    public int MouseTracking { get; private set; }

    /// <summary>How the mouse is reported: 1005, 1006, 1015, 1016, or 0 for the first way. One at a time.</summary>
    public int MouseEncoding { get; private set; }

    /// <summary>The cursor's shape as DECSCUSR numbers it, 0 to 6.</summary>
    public int CursorStyle { get; set; }

    public bool Has(TerminalFlags flag) => (Flags & flag) != TerminalFlags.None;

    public void Set(TerminalFlags flag, bool on) => Flags = on ? Flags | flag : Flags & ~flag;

    /// <summary>Whether a private mode is on; null = it is not known.</summary>
    public bool? IsSet(int number)
    {
        foreach (var (known, flag) in Private)
        {
            if (known == number)
                return Has(flag);
        }

        return null;
    }

    /// <summary>DECSET and DECRST of a mode that is only remembered; others are ignored.</summary>
    public void SetPrivate(int number, bool on)
    {
        switch (number)
        {
            case 9 or 1000 or 1001 or 1002 or 1003:
                MouseTracking = on ? number : 0;
                break;
            case 1005 or 1006 or 1015 or 1016:
                if (on)
                    MouseEncoding = number;
                else if (MouseEncoding == number)
                    MouseEncoding = 0;
                break;
            case 66:
                Set(TerminalFlags.ApplicationKeypad, on);
                break;
            default:
                foreach (var (known, flag) in Private)
                {
                    if (known == number)
                        Set(flag, on);
                }

                break;
        }
    }

    /// <summary>DECSTR: what a program's text needs; the mouse and pasting stay.</summary>
    public void SoftReset()
    {
        const TerminalFlags affected = TerminalFlags.AutoWrap | TerminalFlags.CursorVisible | TerminalFlags.Insert |
            TerminalFlags.ApplicationCursor | TerminalFlags.ApplicationKeypad;
        Flags = (Flags & ~affected) | (Initial & affected);
    }

    public void Reset()
    {
        Flags = Initial;
        MouseTracking = 0;
        MouseEncoding = 0;
        CursorStyle = 0;
    }

    /// <summary>The numbers of the modes that are not as after a reset, and whether each is on; the keypad has sequences of its own.</summary>
    public IEnumerable<(int Number, bool On)> Changed()
    {
        foreach (var (number, flag) in Private)
        {
            if (Has(flag) != ((Initial & flag) != TerminalFlags.None))
                yield return (number, Has(flag));
        }

        if (MouseTracking != 0)
            yield return (MouseTracking, true);
        if (MouseEncoding != 0)
            yield return (MouseEncoding, true);
    }
}

/// <summary>Modes that are on or off.</summary>
[Flags]
internal enum TerminalFlags
{
    None = 0,
    ApplicationCursor = 1,
    ReverseVideo = 1 << 1,
    AutoWrap = 1 << 2,
    CursorBlinks = 1 << 3,
    CursorVisible = 1 << 4,
    ApplicationKeypad = 1 << 5,
    ReportsFocus = 1 << 6,
    AlternateScroll = 1 << 7,
    BracketedPaste = 1 << 8,

    /// <summary>Characters push what follows them to the right (IRM).</summary>
    Insert = 1 << 9,

    /// <summary>A line feed also returns (LNM).</summary>
    NewLine = 1 << 10,
}
