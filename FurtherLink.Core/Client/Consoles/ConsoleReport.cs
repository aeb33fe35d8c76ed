using System.Globalization;
using System.Text;

namespace FurtherLink.Client.Consoles;

/// <summary>The report of a console where something that was waited for did not come: what a person wants to see first stands first.</summary>
internal static class ConsoleReport
{
    private const int MaxTextLines = 20;
    private const int MaxText = 2000;
    private const int MaxEntries = 12;
    private const int MaxEntryText = 200;

    /// <summary>Writes it.</summary>
    /// <param name="headline">What did not come, and why.</param>
    /// <param name="screen">What the terminal shows.</param>
    /// <param name="unmatched">The text that nothing has matched.</param>
    /// <param name="missed">Bytes of output that never came.</param>
    /// <param name="transcript">What was received and sent.</param>
    public static string Write(string headline, ConsoleScreen screen, UnmatchedText unmatched, long missed, IReadOnlyList<TranscriptEntry> transcript)
    {
        var report = new StringBuilder(headline).Append('\n');
        if (missed > 0)
            Line(report, $"{missed} bytes of output never came: they were gone, or this client was too slow.");
        AddScreen(report, screen);
        AddText(report, unmatched);
        AddTranscript(report, transcript);
        return report.ToString().TrimEnd('\n');
    }

    private static void AddScreen(StringBuilder report, ConsoleScreen screen)
    {
        var (row, column) = screen.Cursor;
        Line(report, $"The screen, {screen.Rows} rows of {screen.Columns} columns{(screen.IsAlternate ? ", alternate" : "")}, the cursor in row {row}, column {column} (from 0):");
        if (screen.Title.Length > 0)
            Line(report, $"  its title: {screen.Title}");
        var frame = "  +" + new string('-', screen.Columns);
        report.Append(frame).Append('\n');
        var last = screen.Rows - 1;
        while (last > row && screen.Row(last).Length == 0)
            last--;
        for (var i = 0; i <= last; i++)
            report.Append("  |").Append(screen.Row(i)).Append('\n');
        if (last < screen.Rows - 1)
            Line(report, $"  | ({screen.Rows - 1 - last} blank rows)");
        report.Append(frame).Append('\n');
    }

    private static void AddText(StringBuilder report, UnmatchedText unmatched)
    {
        var text = unmatched.Span;
        var dropped = unmatched.Dropped > 0 ? $"; {unmatched.Dropped} characters before them were dropped, more than is kept" : "";
        if (text.IsEmpty)
        {
            Line(report, $"All text has been matched{dropped}.");
            return;
        }

        var tail = text[Math.Max(0, text.Length - MaxText)..].ToString().Split('\n');
        var from = Math.Max(0, tail.Length - MaxTextLines);
        var shown = tail.Length - from < tail.Length || text.Length > MaxText ? ", the last of them" : "";
        Line(report, $"{text.Length} characters that nothing has matched{shown}{dropped}:");
        for (var i = from; i < tail.Length; i++)
        {
            var isLast = i == tail.Length - 1;
            if (!isLast || tail[i].Length > 0)
                Line(report, $"  \"{VisibleText.Of(tail[i])}{(isLast ? "" : "\\n")}\"");
        }
    }

    private static void AddTranscript(StringBuilder report, IReadOnlyList<TranscriptEntry> transcript)
    {
        if (transcript.Count == 0)
            return;
        report.Append("What happened last, with the time since the console began and the output's offset (< received, > sent, ! answered):\n");
        foreach (var entry in transcript.Skip(transcript.Count - MaxEntries))
        {
            var mark = entry.Kind switch
            {
                TranscriptKind.Received => '<',
                TranscriptKind.Sent => '>',
                TranscriptKind.Answered => '!',
                _ => '-',
            };
            var text = entry.Text.Length > MaxEntryText ? $"...{VisibleText.Of(entry.Text[^MaxEntryText..])}" : VisibleText.Of(entry.Text);
            Line(report, $"  {entry.At.TotalSeconds,8:F3} s {entry.Offset,8} {mark} {(entry.Kind == TranscriptKind.Note ? text : $"\"{text}\"")}");
        }
    }

    private static void Line(StringBuilder report, FormattableString line) =>
        report.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
