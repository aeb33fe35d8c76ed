using System.Globalization;

namespace FurtherLink.Host.Consoles;

/// <summary>Texts of others as they can be shown to a person: on a terminal they move no cursor, change no title and turn no line round.</summary>
internal static class PlainText
{
    /// <summary>The text with "?" in place of control characters, and of those that are not seen but change how others are.</summary>
    public static string Of(string text) => text.All(IsPlain) ? text : string.Concat(text.Select(static letter => IsPlain(letter) ? letter : '?'));

    private static bool IsPlain(char letter) =>
        char.GetUnicodeCategory(letter) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
