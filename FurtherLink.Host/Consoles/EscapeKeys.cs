namespace FurtherLink.Host.Consoles;

/// <summary>
/// Finds the keys by which a person leaves, in what is typed: a control character, or two characters at the beginning of a line, as "~." of ssh, where
/// the first one typed twice stands for itself.
/// </summary>
internal sealed class EscapeKeys
{
    /// <summary>What they are unless said otherwise.</summary>
    public const string Default = "~.";

    private readonly byte? _first;
    private readonly byte? _second;
    private bool _isAtStart = true;
    private bool _hasFirst;

    private EscapeKeys(byte? first, byte? second)
    {
        _first = first;
        _second = second;
        Text = "";
    }

    /// <summary>As a person calls them; empty where there are none.</summary>
    public string Text { get; private init; }

    /// <summary>Reads how they are written: two characters ("~."), a caret and a letter or one of @[\]^_ for a control character ("^]"), or "none".</summary>
    /// <returns>Null where it is none of these.</returns>
    public static EscapeKeys? TryParse(string text) => text switch
    {
        "none" => new EscapeKeys(null, null),
        ['^', var letter] when char.ToUpperInvariant(letter) is >= '@' and <= '_' => new EscapeKeys((byte)(letter & 0x1F), null) { Text = "Ctrl-" + char.ToUpperInvariant(letter) },
        [> ' ' and <= '~', > ' ' and <= '~'] when text[0] != text[1] => new EscapeKeys((byte)text[0], (byte)text[1]) { Text = text },
        _ => null,
    };

    /// <summary>Looks through what was typed next.</summary>
    /// <param name="typed">What was typed.</param>
    /// <param name="output">Where what is for the program goes: one byte longer, since a first character may have been held back.</param>
    /// <param name="count">How many bytes that is.</param>
    /// <returns>True where the person wants to leave: what was typed behind the keys is for nobody.</returns>
    public bool Filter(ReadOnlySpan<byte> typed, Span<byte> output, out int count)
    {
        count = 0;
        foreach (var key in typed)
        {
            if (_hasFirst)
            {
                _hasFirst = false;
                if (key == _second)
                    return true;
                output[count++] = _first!.Value;
                if (key == _first)
                {
                    _isAtStart = false;
                    continue;
                }
            }
            else if (key == _first && _second is null)
            {
                return true;
            }
            else if (key == _first && _isAtStart)
            {
                _hasFirst = true;
                continue;
            }

            _isAtStart = key is (byte)'\r' or (byte)'\n';
            output[count++] = key;
        }

        return false;
    }
}
