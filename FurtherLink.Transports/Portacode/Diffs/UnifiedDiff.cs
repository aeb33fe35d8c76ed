using System.Globalization;

namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>
/// Reads a unified diff of several files, as diff and git write it, and lines that move or delete a file by themselves. What makes no sense is a
/// fault of its file; the other files are read all the same.
/// </summary>
internal sealed class UnifiedDiff
{
    private readonly DiffLines _lines;
    private readonly List<FilePatch> _directives = [];
    private readonly List<FilePatch> _files = [];

    private UnifiedDiff(string diff) => _lines = new DiffLines(diff);

    /// <summary>Reads a diff: first what moves and deletes by itself, then the files in their order. Empty where it names none.</summary>
    public static IReadOnlyList<FilePatch> Parse(string diff)
    {
        var reader = new UnifiedDiff(diff);
        while (!reader._lines.AtEnd)
            reader.ReadNext();
        return [.. reader._directives, .. reader._files];
    }

    private void ReadNext()
    {
        if (_lines.NextIsDirective())
            _directives.Add(ReadDirective());
        else if (_lines.NextIs("diff --git "u8))
            _files.Add(ReadGitFile());
        else if (_lines.NextIsFile())
            _files.Add(ReadHeaderAndHunks(new FileHeader(_lines.Number)));
        else if (_lines.NextIs("@@ "u8) || _lines.NextIs("--- "u8) || _lines.NextIs("+++ "u8))
            _files.Add(Faulty("", _lines.Number, "there are no lines --- and +++ that name the file"));
        else
            _lines.Skip();
    }

    private FilePatch ReadDirective()
    {
        var number = _lines.Number;
        var line = _lines.Take(2).TrimEnd();
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        var verb = line[..colon];
        if (!line.EndsWith("@@", StringComparison.Ordinal) || line.Length < colon + 3)
            return new FilePatch("", FileChange.Modify, number) { Fault = Fault(number, $"@@{verb}: does not end in @@") };

        var names = line[(colon + 1)..^2];
        if (verb is "delete")
        {
            return DiffNames.IsUsable(names.Trim())
                ? new FilePatch(names.Trim(), FileChange.Delete, number) { Unconditional = true }
                : new FilePatch("", FileChange.Delete, number) { Fault = Fault(number, "@@delete: names no file") };
        }

        var parts = names.Split(" -> ");
        return parts.Length is 2 && DiffNames.IsUsable(parts[0].Trim()) && DiffNames.IsUsable(parts[1].Trim())
            ? new FilePatch(parts[1].Trim(), FileChange.Move, number) { Source = parts[0].Trim() }
            : new FilePatch(names.Trim(), FileChange.Move, number) { Fault = Fault(number, $"@@{verb}: needs two names, as in A -> B") };
    }

    private FilePatch ReadGitFile()
    {
        var header = new FileHeader(_lines.Number) { Name = DiffNames.ReadPair(_lines.Take("diff --git ".Length)) };
        while (!_lines.AtEnd && ReadGitLine(header))
        {
        }

        if (header.Problem is { } problem)
        {
            // Its own lines --- and +++ are no other file's.
            if (_lines.NextIsFile())
                _lines.GoTo(_lines.Number + 2);
            return Faulty(header.Name ?? "", header.Line, problem);
        }

        if (_lines.NextIsFile())
            return ReadHeaderAndHunks(header);
        if (header.Source is null && !DiffNames.IsUsable(header.Name))
            return Faulty("", header.Line, "the line diff --git does not name one file");
        if (header is { Source: null, Made: false, Gone: false, Executable: null })
            return Faulty(header.Name!, header.Line, "nothing is changed");
        return Finish(header, []);
    }

    private bool ReadGitLine(FileHeader header)
    {
        if (_lines.NextIs("new file mode "u8) || _lines.NextIs("new mode "u8))
        {
            header.Made |= _lines.NextIs("new file"u8);
            var mode = _lines.Take(_lines.NextIs("new file"u8) ? "new file mode ".Length : "new mode ".Length).Trim();
            if (mode is "100755" or "100644")
                header.Executable = mode is "100755";
            else
                header.Problem ??= $"{mode} is no file's mode: only plain files can be made";
        }
        else if (_lines.NextIs("deleted file mode "u8))
        {
            header.Gone = true;
            _lines.Skip();
        }
        else if (_lines.NextIs("rename from "u8))
        {
            header.Source = DiffNames.Read(_lines.Take("rename from ".Length));
        }
        else if (_lines.NextIs("rename to "u8))
        {
            header.Name = DiffNames.Read(_lines.Take("rename to ".Length));
        }
        else if (_lines.NextIs("Binary files "u8) || _lines.NextIs("GIT binary patch"u8))
        {
            header.Problem ??= "a binary file cannot be patched";
            _lines.Skip();
        }
        else if (_lines.NextIs("copy "u8))
        {
            header.Problem ??= "a file cannot be copied by a diff";
            _lines.Skip();
        }
        else if (_lines.NextIs("index "u8) || _lines.NextIs("old mode "u8) || _lines.NextIs("similarity index "u8) || _lines.NextIs("dissimilarity index "u8))
        {
            _lines.Skip();
        }
        else
        {
            return false;
        }

        return true;
    }

    private FilePatch ReadHeaderAndHunks(FileHeader header)
    {
        var before = DiffNames.Read(_lines.Take(4));
        var after = DiffNames.Read(_lines.Take(4));
        if (!DiffNames.IsUsable(before) || !DiffNames.IsUsable(after))
            return Faulty("", header.Line, "the lines --- and +++ do not name a file");
        var (old, fresh) = DiffNames.Strip(before!, after!);
        if (header.Source is null)
            header.Name = fresh ?? old;
        header.Made |= old is null;
        header.Gone |= fresh is null;
        if (!DiffNames.IsUsable(header.Name) || (old is null && fresh is null))
            return Faulty("", header.Line, "the lines --- and +++ do not name a file");

        var hunks = new List<Hunk>();
        while (_lines.NextIs("@@ "u8))
        {
            var number = _lines.Number;
            if (ReadHunk(out var hunk) is { } problem)
            {
                // A hunk that is too short has swallowed the header of the next file.
                _lines.GoTo(number + 1);
                return Faulty(header.Name!, problem.Line, problem.Message);
            }

            if (hunks.Count > 0 && hunk!.Start < hunks[^1].Start)
                return Faulty(header.Name!, number, "the hunks are not in the order of the file");
            hunks.Add(hunk!);
        }

        if (IsHunkLine())
            return Faulty(header.Name!, _lines.Number, hunks.Count == 0 ? "there is no hunk header" : "the hunk has more lines than its header says");
        return hunks.Count > 0 || header.ChangesWithoutHunks ? Finish(header, hunks) : Faulty(header.Name!, header.Line, "there is no hunk");
    }

    private static FilePatch Finish(FileHeader header, IReadOnlyList<Hunk> hunks)
    {
        // Null only where a rename has one line of the two.
        if (header.Source is not null && (!DiffNames.IsUsable(header.Source) || !DiffNames.IsUsable(header.Name)))
            return new FilePatch(header.Name ?? "", FileChange.Move, header.Line) { Fault = Fault(header.Line, "a rename needs two names") };
        if (header is { Made: true, Gone: true })
            return new FilePatch(header.Name!, FileChange.Modify, header.Line) { Fault = Fault(header.Line, "the file is both made and deleted") };
        var change = header switch
        {
            { Source: not null } => FileChange.Move,
            { Made: true } => FileChange.Create,
            { Gone: true } => FileChange.Delete,
            _ => FileChange.Modify,
        };
        return new FilePatch(header.Name!, change, header.Line) { Source = header.Source, Executable = header.Executable, Hunks = hunks };
    }

    private DiffFault? ReadHunk(out Hunk? hunk)
    {
        hunk = null;
        var number = _lines.Number;
        if (!HunkHeader.TryRead(_lines.Take(0), out var header))
            return new DiffFault("the hunk header is not @@ -line,count +line,count @@", number);
        var (old, fresh) = (header.OldCount, header.NewCount);
        var lines = new List<HunkLine>();
        while (old > 0 || fresh > 0)
        {
            if (_lines.AtEnd)
                return new DiffFault("the hunk has fewer lines than its header says", number);
            var line = _lines.Next;
            HunkLineKind kind;
            switch (line.Span[0])
            {
                case (byte)' ':
                    kind = HunkLineKind.Kept;
                    break;
                case (byte)'-':
                    kind = HunkLineKind.Removed;
                    break;
                case (byte)'+':
                    kind = HunkLineKind.Added;
                    break;
                case (byte)'\\' when lines.Count > 0:
                    CutEnd(lines);
                    _lines.Skip();
                    continue;
                // Mailers and editors take the blank off an empty line that stays.
                case (byte)'\n' or (byte)'\r' when line.Span.Trim("\r\n"u8).IsEmpty:
                    lines.Add(new HunkLine(HunkLineKind.Kept, Ended(line)));
                    (old, fresh) = (old - 1, fresh - 1);
                    _lines.Skip();
                    continue;
                default:
                    return new DiffFault("the hunk has fewer lines than its header says", _lines.Number);
            }

            lines.Add(new HunkLine(kind, Ended(line[1..])));
            old -= kind is HunkLineKind.Added ? 0 : 1;
            fresh -= kind is HunkLineKind.Removed ? 0 : 1;
            if (old < 0 || fresh < 0)
                return new DiffFault("the hunk's lines are not those that its header counts", _lines.Number);
            _lines.Skip();
        }

        if (old < 0 || fresh < 0)
            return new DiffFault("the hunk's lines are not those that its header counts", number);
        if (_lines.NextIs("\\"u8) && lines.Count > 0)
        {
            CutEnd(lines);
            _lines.Skip();
        }

        hunk = new Hunk(header.Start, lines, number);
        return null;
    }

    /// <summary>The last line of a text may come without its end; in a diff that means nothing.</summary>
    private static ReadOnlyMemory<byte> Ended(ReadOnlyMemory<byte> line) =>
        line.Span.EndsWith("\n"u8) ? line : (byte[])[.. line.Span, (byte)'\n'];

    private static void CutEnd(List<HunkLine> lines)
    {
        if (lines[^1].Text.Span.EndsWith("\n"u8))
            lines[^1] = lines[^1] with { Text = lines[^1].Text[..^1] };
    }

    /// <summary>Whether the next line can only belong to a hunk: one left over means that a header counts wrong.</summary>
    private bool IsHunkLine() =>
        (_lines.NextIs("+"u8) || _lines.NextIs("-"u8) || _lines.NextIs(" "u8)) && !_lines.NextIsFile()
        && !_lines.Next.Span.TrimEnd("\r\n"u8).SequenceEqual("-- "u8);

    /// <summary>Gives up a file, and goes on with the next.</summary>
    private FilePatch Faulty(string name, int line, string problem)
    {
        while (!_lines.AtEnd && !_lines.NextIsFileWithHunk() && !_lines.NextIs("diff --git "u8) && !_lines.NextIsDirective())
            _lines.Skip();
        return new FilePatch(name, FileChange.Modify, line) { Fault = Fault(line, problem) };
    }

    private static DiffFault Fault(int line, string problem) => new(string.Create(CultureInfo.InvariantCulture, $"line {line} of the diff: {problem}"), line);

    /// <summary>What the lines before the first hunk have said so far.</summary>
    private sealed class FileHeader(int line)
    {
        public int Line { get; } = line;

        public string? Name { get; set; }

        public string? Source { get; set; }

        public bool Made { get; set; }

        public bool Gone { get; set; }

        public bool? Executable { get; set; }

        public string? Problem { get; set; }

        public bool ChangesWithoutHunks => Source is not null || Made || Gone || Executable is not null;
    }
}
