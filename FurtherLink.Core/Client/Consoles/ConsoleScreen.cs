using FurtherLink.Terminals;

namespace FurtherLink.Client.Consoles;

/// <summary>What a console's terminal shows at one moment. It does not change.</summary>
public sealed class ConsoleScreen
{
    private readonly string[] _rows;
    private string? _text;

    internal ConsoleScreen(TerminalScreen screen)
    {
        var size = screen.Size;
        (Columns, Cursor, Title, IsAlternate) = (size.Columns, screen.Cursor, screen.Title, screen.IsAlternate);
        _rows = new string[size.Rows];
        for (var i = 0; i < _rows.Length; i++)
            _rows[i] = screen.Row(i);
    }

    /// <summary>How many rows it has.</summary>
    public int Rows => _rows.Length;

    /// <summary>How many columns it has.</summary>
    public int Columns { get; }

    /// <summary>Where the next character goes, from 0.</summary>
    public (int Row, int Column) Cursor { get; }

    /// <summary>What the program calls its window; empty at first.</summary>
    public string Title { get; }

    /// <summary>Whether the alternate screen shows, as of most full-screen programs.</summary>
    public bool IsAlternate { get; }

    /// <summary>All rows, each without the blanks at its end and with "\n" between them; blank rows at the end are left out.</summary>
    public string Text => _text ??= string.Join('\n', _rows).TrimEnd('\n');

    /// <summary>The text of a row without the blanks at its end.</summary>
    /// <param name="index">From 0, at the top; from -1, at the bottom.</param>
    public string Row(int index) => _rows[index < 0 ? _rows.Length + index : index];

    /// <summary>Whether a text stands in one of the rows.</summary>
    public bool Contains(string text) => Array.Exists(_rows, row => row.Contains(text, StringComparison.Ordinal));

    /// <inheritdoc/>
    public override string ToString() => Text;
}
