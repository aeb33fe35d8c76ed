using System.Text;

namespace FurtherLink.Host.Consoles;

/// <summary>Rows for people, in columns.</summary>
internal static class TextTable
{
    /// <summary>A line for each row.</summary>
    /// <param name="heads">The columns' names.</param>
    /// <param name="rows">As many cells each. What would move the cursor is shown as "?".</param>
    public static string Format(string[] heads, IEnumerable<string[]> rows)
    {
        List<string[]> all = [heads, .. rows.Select(static row => row.Select(PlainText.Of).ToArray())];
        var widths = heads.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in all)
            text.Append(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()).Append('\n');
        return text.ToString();
    }
}
