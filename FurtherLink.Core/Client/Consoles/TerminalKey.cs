using System.Text;

namespace FurtherLink.Client.Consoles;

/// <summary>A key of a terminal, or text: what a press of it sends. See <see cref="Keys"/>, <see cref="Ctrl"/> and <see cref="Alt"/>.</summary>
public readonly record struct TerminalKey
{
    private readonly string? _normal;
    private readonly string? _application;

    internal TerminalKey(string normal, string? application = null)
    {
        _normal = normal;
        _application = application;
    }

    /// <summary>Text that is typed.</summary>
    public static implicit operator TerminalKey(string text) => new(text);

    /// <summary>Text that is typed.</summary>
    public static TerminalKey FromString(string text) => new(text);

    /// <summary>What it sends.</summary>
    /// <param name="applicationCursor">Whether the program has switched the cursor keys to their application mode (DECCKM).</param>
    public string Spell(bool applicationCursor) => (applicationCursor ? _application : null) ?? _normal ?? "";

    /// <summary>What keys send one after the other.</summary>
    internal static string Spell(IEnumerable<TerminalKey> keys, bool applicationCursor)
    {
        var text = new StringBuilder();
        foreach (var key in keys)
            text.Append(key.Spell(applicationCursor));
        return text.ToString();
    }
}
