using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>
/// A file's content with hunks applied: where their line numbers say, else at the nearest place that has the hunk's lines, else the same two ways
/// with line ends that differ. Works on bytes: what no hunk touches stays as it is, whatever its encoding.
/// </summary>
internal sealed class PatchedText
{
    // Comparing 20 million lines takes a fraction of a second; only a file of equal lines with a hunk that almost fits needs more.
    private const int MostComparisons = 20_000_000;

    private readonly ReadOnlyMemory<byte>[] _lines;
    private readonly int[] _hashes;
    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly byte[] _lineEnd;
    private int _comparisons;

    private PatchedText(byte[] original)
    {
        _lines = [.. DiffLines.Split(original)];
        _hashes = [.. _lines.Select(static line => Hash(line))];
        _lineEnd = _lines.Length > 0 && _lines[0].Span.EndsWith("\r\n"u8) ? [.. "\r\n"u8] : [.. "\n"u8];
    }

    /// <summary>Applies the hunks of one file.</summary>
    /// <param name="original">What the file holds.</param>
    /// <param name="hunks">In the order of the file.</param>
    /// <param name="patched">What it holds then.</param>
    /// <param name="fault">Which hunk does not fit, and where.</param>
    public static bool TryApply(
        byte[] original, IReadOnlyList<Hunk> hunks, [NotNullWhen(true)] out byte[]? patched, [NotNullWhen(false)] out DiffFault? fault)
    {
        var text = new PatchedText(original);
        fault = text.Apply(hunks);
        patched = fault is null ? text._output.WrittenSpan.ToArray() : null;
        return fault is null;
    }

    private DiffFault? Apply(IReadOnlyList<Hunk> hunks)
    {
        var done = 0;
        var drift = 0;
        foreach (var hunk in hunks)
        {
            // Without old lines the number is that of the line before.
            var named = hunk.Start - (hunk.Old.Count > 0 ? 1 : 0);
            if (Find(hunk, named + drift, done, out var exact) is not { } place)
                return Misfit(hunk, named + drift, done);
            drift = place - named;
            Copy(done, place);
            Emit(hunk, place, exact);
            done = place + hunk.Old.Count;
        }

        Copy(done, _lines.Length);
        return null;
    }

    private int? Find(Hunk hunk, int expected, int least, out bool exact)
    {
        exact = true;
        if (hunk.Old.Count == 0)
            return expected >= least && expected <= _lines.Length ? expected : null;
        var hashes = hunk.Old.Select(static line => Hash(line.Text)).ToArray();
        if (Search(hunk.Old, hashes, expected, least, exact: true) is { } place)
            return place;
        exact = false;
        return Search(hunk.Old, hashes, expected, least, exact: false);
    }

    /// <summary>The nearest place, the earlier one of two.</summary>
    private int? Search(IReadOnlyList<HunkLine> old, int[] hashes, int expected, int least, bool exact)
    {
        var most = _lines.Length - old.Count;
        if (most < least)
            return null;
        var middle = Math.Clamp(expected, least, most);
        for (var distance = 0; middle - distance >= least || middle + distance <= most; distance++)
        {
            if (middle - distance >= least && Fits(old, hashes, middle - distance, exact))
                return middle - distance;
            if (distance > 0 && middle + distance <= most && Fits(old, hashes, middle + distance, exact))
                return middle + distance;
            if (_comparisons > MostComparisons)
                return null;
        }

        return null;
    }

    private bool Fits(IReadOnlyList<HunkLine> old, int[] hashes, int place, bool exact)
    {
        for (var i = 0; i < old.Count; i++)
        {
            _comparisons++;
            if (hashes[i] != _hashes[place + i] || !Same(old[i].Text, _lines[place + i], exact))
                return false;
        }

        return true;
    }

    private void Copy(int from, int to)
    {
        for (var i = from; i < to; i++)
            Append(_lines[i].Span);
    }

    private void Emit(Hunk hunk, int place, bool exact)
    {
        foreach (var line in hunk.Lines)
        {
            if (line.Kind is HunkLineKind.Added && exact)
            {
                Append(line.Text.Span);
            }
            else if (line.Kind is HunkLineKind.Added)
            {
                Append([.. WithoutEnd(line.Text).Span, .. line.Text.Span.EndsWith("\n"u8) ? _lineEnd : []]);
            }
            else
            {
                if (line.Kind is HunkLineKind.Kept)
                    Append(_lines[place].Span);
                place++;
            }
        }
    }

    /// <summary>Adds a line; one before it that has no end, because it was the last, gets one.</summary>
    private void Append(ReadOnlySpan<byte> line)
    {
        if (!line.IsEmpty && _output.WrittenCount > 0 && _output.WrittenSpan[^1] != (byte)'\n')
            _output.Write(_lineEnd);
        _output.Write(line);
    }

    private DiffFault Misfit(Hunk hunk, int expected, int least)
    {
        var line = Math.Clamp(expected, 0, _lines.Length);
        for (var i = 0; i < hunk.Old.Count && line < _lines.Length && Same(hunk.Old[i].Text, _lines[line], exact: false); i++)
            line++;
        var why = expected < least ? "begins before the one above it ends" : line < _lines.Length ? "does not match the file" : "goes beyond the file's end";
        return new DiffFault($"line {line + 1}: the hunk at line {hunk.Line} of the diff {why}", line + 1);
    }

    private static bool Same(ReadOnlyMemory<byte> wanted, ReadOnlyMemory<byte> found, bool exact) =>
        exact ? wanted.Span.SequenceEqual(found.Span) : WithoutEnd(wanted).Span.SequenceEqual(WithoutEnd(found).Span);

    private static ReadOnlyMemory<byte> WithoutEnd(ReadOnlyMemory<byte> line) => line.TrimEnd("\r\n"u8);

    private static int Hash(ReadOnlyMemory<byte> line)
    {
        var hash = default(HashCode);
        hash.AddBytes(WithoutEnd(line).Span);
        return hash.ToHashCode();
    }
}
