using System.Text;
using System.Text.Json.Nodes;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Picks a range of lines out of a text that comes in pieces, and counts all of them.</summary>
/// <param name="range">The lines.</param>
/// <param name="most">The most characters to keep.</param>
internal sealed class LinePage(LineRange range, int most)
{
    private readonly StringBuilder _content = new();
    private long _ended;
    private bool _open;

    private long Total => _ended + (_open ? 1 : 0);

    /// <summary>Takes the next piece.</summary>
    /// <returns>False where the page grows too large.</returns>
    public bool Add(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            var end = text.IndexOf('\n');
            var line = end < 0 ? text : text[..(end + 1)];
            var number = _ended + 1;
            if (number >= range.First && number <= range.Last)
            {
                if (_content.Length + line.Length > most)
                    return false;
                _content.Append(line);
            }
            _open = end < 0;
            _ended += end < 0 ? 0 : 1;
            text = text[line.Length..];
        }
        return true;
    }

    /// <summary>What is told of the page.</summary>
    public JsonObject Answer(string path, long size, string encoding)
    {
        // Past the end there is an empty page right behind the last line.
        var first = Math.Min(range.First, Total + 1);
        var last = Math.Max(Math.Min(range.Last, Total), first - 1);
        return new JsonObject
        {
            ["path"] = path,
            ["content"] = _content.ToString(),
            ["size"] = size,
            ["total_lines"] = Total,
            ["returned_lines"] = last - first + 1,
            ["start_line"] = first,
            ["requested_start_line"] = range.Requested,
            ["end_line"] = last,
            ["has_more_before"] = first > 1,
            ["has_more_after"] = last < Total,
            ["encoding"] = encoding,
        };
    }
}
