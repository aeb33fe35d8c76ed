using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FurtherLink.Terminals;
using FurtherLink.Tests.Readme;

namespace FurtherLink.Tests.Terminals;

/// <summary>xterm.js, the terminal of web pages, to compare with.</summary>
internal sealed class XtermJs : IAsyncDisposable
{
    private static readonly (StyleAttributes Attribute, string Name)[] Names =
    [
        (StyleAttributes.Bold, "Bold"), (StyleAttributes.Faint, "Dim"), (StyleAttributes.Italic, "Italic"), (StyleAttributes.AnyUnderline, "Underline"),
        (StyleAttributes.Blink, "Blink"), (StyleAttributes.Inverse, "Inverse"), (StyleAttributes.Invisible, "Invisible"),
        (StyleAttributes.Struck, "Strikethrough"), (StyleAttributes.Overlined, "Overline"),
    ];

    private readonly Process _process = Process.Start(new ProcessStartInfo("node", [Path.Combine(Example.Root, "FurtherLink.Tests", "Npm", "xterm.js")])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        UseShellExecute = false,
        StandardOutputEncoding = Encoding.UTF8,
    })!;

    /// <summary>What it shows of some output: a line for every row, with the style of every cell, and one for the cursor and modes.</summary>
    public async Task<string[]> ShowAsync(int rows, int columns, byte[] output)
    {
        await _process.StandardInput.WriteLineAsync($$"""{"rows":{{rows}},"columns":{{columns}},"output":"{{Convert.ToBase64String(output)}}"}""");
        await _process.StandardInput.FlushAsync();
        var answer = await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return [.. JsonDocument.Parse(answer!).RootElement.EnumerateArray().Select(line => line.GetString()!)];
    }

    /// <summary>The same about a screen of ours.</summary>
    public static string[] Describe(ScreenState screen) => [.. Enumerable.Range(0, screen.Rows).Select(row => Describe(screen.Buffer[row])), StateOf(screen)];

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string Describe(TerminalRow row) => string.Join('|', Enumerable.Range(0, row.Columns).Where(column => !row[column].IsSecondHalf).Select(column =>
    {
        var cell = row[column];
        var text = new StringBuilder(new Rune(cell.Rune).ToString());
        foreach (var mark in row.Marks(column))
            text.Append(new Rune(mark).ToString());
        var attributes = Names.Where(known => (cell.Style.Attributes & known.Attribute) != StyleAttributes.None).Select(known => known.Name);
        return string.Join(' ', [text.ToString(), Describe(cell.Style.Foreground), Describe(cell.Style.Background), .. attributes]);
    }));

    private static string Describe(uint color)
    {
        if (color == 0)
            return "-";
        return Style.IsOfPalette(color) ? $"p{(byte)color}" : $"#{color & 0xFFFFFF}";
    }

    private static string StateOf(ScreenState screen)
    {
        var modes = screen.Modes;
        var mouse = modes.MouseTracking switch
        {
            9 => "x10",
            1000 => "vt200",
            1002 => "drag",
            1003 => "any",
            _ => "none",
        };
        // After the last column it counts on.
        object[] values =
        [
            screen.Cursor.Row, screen.Cursor.Column + (screen.Cursor.PendingWrap ? 1 : 0), screen.IsAlternate ? "alternate" : "normal",
            Text(modes.Has(TerminalFlags.ApplicationCursor)), Text(modes.Has(TerminalFlags.ApplicationKeypad)), Text(modes.Has(TerminalFlags.BracketedPaste)),
            Text(modes.Has(TerminalFlags.Insert)), mouse, Text(screen.Cursor.Origin), Text(modes.Has(TerminalFlags.ReportsFocus)),
            Text(modes.Has(TerminalFlags.AutoWrap)),
        ];
        return string.Join(' ', values.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture)));
    }

    private static string Text(bool value) => value ? "true" : "false";
}
