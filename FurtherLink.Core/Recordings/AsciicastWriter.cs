using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using FurtherLink.Codecs;
using FurtherLink.Messages;

namespace FurtherLink.Recordings;

/// <summary>
/// Writes a recording line by line in the format asciicast v2 (docs.asciinema.org/manual/asciicast/v2): a header, then events of a time in
/// seconds, a code and a text. Not thread safe.
/// </summary>
/// <param name="output">Where it goes.</param>
internal sealed class AsciicastWriter(IBufferWriter<byte> output)
{
    // What a recording of a session without a terminal is played in.
    private static readonly TerminalSize PipesSize = new(24, 80);

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private long _start;
    private long _last;

    /// <summary>The header. Called once, first.</summary>
    /// <param name="session">What is recorded.</param>
    /// <param name="size">The terminal's size at the beginning; null = it has none.</param>
    /// <param name="start">The time of the beginning, in milliseconds since 1970-01-01 UTC.</param>
    public void WriteHeader(SessionInfo session, TerminalSize? size, long start)
    {
        _start = _last = start;
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 2);
            json.WriteNumber("width", (size ?? PipesSize).Columns);
            json.WriteNumber("height", (size ?? PipesSize).Rows);
            json.WriteNumber("timestamp", start / 1000);
            json.WriteString("title", session.Name ?? session.Runner);
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    /// <summary>Output.</summary>
    public void WriteOutput(long time, ReadOnlySpan<byte> utf8, bool newLines) => WriteEvent(time, "o", utf8, newLines);

    /// <summary>What was typed.</summary>
    public void WriteInput(long time, ReadOnlySpan<byte> utf8) => WriteEvent(time, "i", utf8, newLines: false);

    /// <summary>A size.</summary>
    public void WriteResize(long time, TerminalSize size) =>
        WriteText(time, "r", string.Create(CultureInfo.InvariantCulture, $"{size.Columns}x{size.Rows}"));

    /// <summary>A remark, shown on the timeline.</summary>
    public void WriteMarker(long time, string text) => WriteText(time, "m", text);

    private void WriteText(long time, string code, string text)
    {
        using (var json = new Utf8JsonWriter(output, Options))
        {
            WriteBeginning(json, time, code);
            json.WriteStringValue(text);
            json.WriteEndArray();
        }

        output.Write("\n"u8);
    }

    private void WriteEvent(long time, string code, ReadOnlySpan<byte> utf8, bool newLines)
    {
        output.Write("["u8);
        WriteTime(time);
        output.Write(code == "o" ? ", \"o\", \""u8 : ", \"i\", \""u8);
        // A terminal returns to the first column by itself only where a program prints through one.
        while (newLines && utf8.IndexOf((byte)'\n') is >= 0 and var end)
        {
            JsonText.Write(output, utf8[..end]);
            output.Write("\\r\\n"u8);
            utf8 = utf8[(end + 1)..];
        }

        JsonText.Write(output, utf8);
        output.Write("\"]\n"u8);
    }

    private void WriteBeginning(Utf8JsonWriter json, long time, string code)
    {
        json.WriteStartArray();
        json.WriteNumberValue(SecondsAt(time));
        json.WriteStringValue(code);
    }

    private void WriteTime(long time)
    {
        // 32: more digits than seconds since 1970 with three decimals have.
        SecondsAt(time).TryFormat(output.GetSpan(32), out var written, default, CultureInfo.InvariantCulture);
        output.Advance(written);
    }

    // Times never go back, whatever the clock did.
    private decimal SecondsAt(long time)
    {
        _last = Math.Max(_last, time);
        return (_last - _start) / 1000m;
    }
}
