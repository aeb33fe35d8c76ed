namespace FurtherLink.Client.Consoles;

/// <summary>Keys together with Ctrl.</summary>
public static class Ctrl
{
    /// <summary>Ctrl-C: interrupts.</summary>
    public static TerminalKey C { get; } = Of('c');

    /// <summary>Ctrl-D: the end of input.</summary>
    public static TerminalKey D { get; } = Of('d');

    /// <summary>Ctrl-Z: suspends.</summary>
    public static TerminalKey Z { get; } = Of('z');

    /// <summary>Any other.</summary>
    /// <param name="key">A letter in either case, or one of @ [ \ ] ^ _ ? and space, which is as @.</param>
    public static TerminalKey Of(char key) => key switch
    {
        >= 'a' and <= 'z' or >= '@' and <= '_' => new(((char)(key & 0x1F)).ToString()),
        ' ' => new("\0"),
        '?' => new("\u007F"),
        _ => throw new ArgumentOutOfRangeException(nameof(key), key, "There is no such key."),
    };
}
