using System.Globalization;
using System.Text;

namespace FurtherLink.Client.Consoles;

/// <summary>Makes control characters of a text visible, spelled as in C#.</summary>
internal static class VisibleText
{
    /// <summary>A text in one line.</summary>
    public static string Of(string text)
    {
        var shown = new StringBuilder(text.Length + 16);
        foreach (var character in text)
            Append(shown, character);
        return shown.ToString();
    }

    private static void Append(StringBuilder shown, char character)
    {
        switch (character)
        {
            case '\n':
                shown.Append("\\n");
                break;
            case '\r':
                shown.Append("\\r");
                break;
            case '\t':
                shown.Append("\\t");
                break;
            case '\e':
                shown.Append("\\e");
                break;
            case '"' or '\\':
                shown.Append('\\').Append(character);
                break;
            case var _ when char.IsControl(character):
                shown.Append("\\u").Append(((int)character).ToString("X4", CultureInfo.InvariantCulture));
                break;
            default:
                shown.Append(character);
                break;
        }
    }
}
