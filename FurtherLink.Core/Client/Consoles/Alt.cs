namespace FurtherLink.Client.Consoles;

/// <summary>Keys together with Alt.</summary>
public static class Alt
{
    /// <summary>Alt with a character.</summary>
    public static TerminalKey Of(char key) => new($"\e{key}");
}
