using System.Text;

namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>The lines of a diff, one after another, with a look at the next two.</summary>
internal sealed class DiffLines
{
    private readonly ReadOnlyMemory<byte>[] _lines;
    private int _next;

    public DiffLines(string diff) => _lines = [.. Split(Encoding.UTF8.GetBytes(diff))];

    /// <summary>The next line's number, from 1.</summary>
    public int Number => _next + 1;

    /// <summary>Whether all lines were taken.</summary>
    public bool AtEnd => _next == _lines.Length;

    /// <summary>The next line with its end; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Next => AtEnd ? default : _lines[_next];

    /// <summary>Goes behind the next line.</summary>
    public void Skip() => _next++;

    /// <summary>Whether the next line begins so.</summary>
    public bool NextIs(ReadOnlySpan<byte> start) => Next.Span.StartsWith(start);

    /// <summary>Whether the next two lines are the header of a file.</summary>
    public bool NextIsFile() => NextIs("--- "u8) && _next + 1 < _lines.Length && _lines[_next + 1].Span.StartsWith("+++ "u8);

    /// <summary>Whether the next lines are the header of a file and that of a hunk: nothing else looks like that.</summary>
    public bool NextIsFileWithHunk() => NextIsFile() && _next + 2 < _lines.Length && _lines[_next + 2].Span.StartsWith("@@ -"u8);

    /// <summary>Goes to a line.</summary>
    public void GoTo(int number) => _next = number - 1;

    /// <summary>Whether the next line is one that moves or deletes a file by itself.</summary>
    public bool NextIsDirective() => NextIs("@@delete:"u8) || NextIs("@@move:"u8) || NextIs("@@rename:"u8);

    /// <summary>Takes the next line as text behind some bytes, without its end.</summary>
    public string Take(int skipped)
    {
        var line = Next.Span[skipped..];
        Skip();
        return Encoding.UTF8.GetString(line.TrimEnd("\r\n"u8));
    }

    /// <summary>Cuts bytes into lines that keep their ends.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> text)
    {
        while (!text.IsEmpty)
        {
            var end = text.Span.IndexOf((byte)'\n') + 1;
            if (end == 0)
                end = text.Length;
            yield return text[..end];
            text = text[end..];
        }
    }
}
