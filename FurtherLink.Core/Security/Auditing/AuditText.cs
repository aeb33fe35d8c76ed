using System.Globalization;
using System.Text;

namespace FurtherLink.Security.Auditing;

/// <summary>Texts of clients as they are written down: they can neither end a line nor fill a disk.</summary>
internal static class AuditText
{
    private const int Longest = 200;

    /// <summary>At most 200 characters of a text.</summary>
    public static string Short(string text) => text.Length <= Longest ? text : string.Concat(text.AsSpan(0, Longest), "...");

    /// <summary>A text for a line of a log: without what terminals obey, or what changes the order in which it is read.</summary>
    public static string Plain(string text) => string.Create(Short(text).Length, Short(text), static (span, text) =>
    {
        for (var i = 0; i < span.Length; i++)
            span[i] = IsHarmless(text[i]) ? text[i] : '?';
    });

    /// <summary>An event as a line of a log.</summary>
    public static string Line(AuditEvent entry)
    {
        var line = new StringBuilder();
        foreach (var (name, value) in entry.Fields)
        {
            if (line.Length > 0)
                line.Append(name is "event" ? "" : $", {name} ");
            line.Append(IsOurs(name) ? Plain(value) : Quoted(Plain(value)));
        }

        return line.ToString();
    }

    private static bool IsHarmless(char letter) => char.GetUnicodeCategory(letter)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    // What we say ourselves, or what stands last.
    private static bool IsOurs(string name) => name is "event" or "end" or "why";

    // A name that others have chosen may read like the next field.
    private static string Quoted(string text) => text.AsSpan().ContainsAny(',', '"') ? $"\"{text.Replace('"', '\'')}\"" : text;
}
