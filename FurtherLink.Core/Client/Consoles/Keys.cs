namespace FurtherLink.Client.Consoles;

/// <summary>The keys of xterm that send more than a character, see its document "Xterm Control Sequences".</summary>
public static class Keys
{
    /// <summary>Cursor up.</summary>
    public static TerminalKey Up { get; } = Cursor('A');

    /// <summary>Cursor down.</summary>
    public static TerminalKey Down { get; } = Cursor('B');

    /// <summary>Cursor right.</summary>
    public static TerminalKey Right { get; } = Cursor('C');

    /// <summary>Cursor left.</summary>
    public static TerminalKey Left { get; } = Cursor('D');

    /// <summary>Home.</summary>
    public static TerminalKey Home { get; } = Cursor('H');

    /// <summary>End.</summary>
    public static TerminalKey End { get; } = Cursor('F');

    /// <summary>Page up.</summary>
    public static TerminalKey PageUp { get; } = Numbered(5);

    /// <summary>Page down.</summary>
    public static TerminalKey PageDown { get; } = Numbered(6);

    /// <summary>Insert.</summary>
    public static TerminalKey Insert { get; } = Numbered(2);

    /// <summary>Delete, which removes forwards.</summary>
    public static TerminalKey Delete { get; } = Numbered(3);

    /// <summary>Backspace.</summary>
    public static TerminalKey Backspace { get; } = new("\u007F");

    /// <summary>Tab.</summary>
    public static TerminalKey Tab { get; } = new("\t");

    /// <summary>Shift and Tab.</summary>
    public static TerminalKey BackTab { get; } = new("\e[Z");

    /// <summary>Enter.</summary>
    public static TerminalKey Enter { get; } = new("\r");

    /// <summary>Escape. Programs take what follows at once for the rest of a key's sequence where it looks like one.</summary>
    public static TerminalKey Escape { get; } = new("\e");

    /// <summary>F1.</summary>
    public static TerminalKey F1 { get; } = new("\eOP");

    /// <summary>F2.</summary>
    public static TerminalKey F2 { get; } = new("\eOQ");

    /// <summary>F3.</summary>
    public static TerminalKey F3 { get; } = new("\eOR");

    /// <summary>F4.</summary>
    public static TerminalKey F4 { get; } = new("\eOS");

    /// <summary>F5.</summary>
    public static TerminalKey F5 { get; } = Numbered(15);

    /// <summary>F6.</summary>
    public static TerminalKey F6 { get; } = Numbered(17);

    /// <summary>F7.</summary>
    public static TerminalKey F7 { get; } = Numbered(18);

    /// <summary>F8.</summary>
    public static TerminalKey F8 { get; } = Numbered(19);

    /// <summary>F9.</summary>
    public static TerminalKey F9 { get; } = Numbered(20);

    /// <summary>F10.</summary>
    public static TerminalKey F10 { get; } = Numbered(21);

    /// <summary>F11.</summary>
    public static TerminalKey F11 { get; } = Numbered(23);

    /// <summary>F12.</summary>
    public static TerminalKey F12 { get; } = Numbered(24);

    private static TerminalKey Cursor(char final) => new($"\e[{final}", $"\eO{final}");

    private static TerminalKey Numbered(int number) => new($"\e[{number}~");
}
