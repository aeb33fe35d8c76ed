using System.Text;

namespace FurtherLink.Micro;

/// <summary>What programs print, 64 KiB of each kind.</summary>
public enum Texts
{
    /// <summary>Lines of a log, in ASCII.</summary>
    Log,

    /// <summary>Text beyond ASCII.</summary>
    Utf8,

    /// <summary>Random bytes: what is no text.</summary>
    Random,
}

/// <summary>Makes <see cref="Texts"/>.</summary>
internal static class TextBytes
{
    private const int Length = 64 * 1024;

    /// <summary>The bytes of a kind, the same ones each time.</summary>
    public static byte[] Of(Texts kind)
    {
        if (kind == Texts.Random)
        {
            var random = new byte[Length];
            new Random(1).NextBytes(random);
            return random;
        }
        var line = kind == Texts.Log
            ? "2026-01-31T12:00:00.123 INFO  worker-3 handled request 4711 in 12 ms\r\n"
            : "Ein Text mit Umlauten äöü, Ελληνικά, кириллица, 日本語 und 😀\r\n";
        var text = new StringBuilder();
        while (text.Length < Length)
            text.Append(line);
        return Encoding.UTF8.GetBytes(text.ToString())[..Length];
    }
}
