namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>What a diff does to one file.</summary>
/// <param name="Path">The file, as the diff names it; after a move its new name.</param>
/// <param name="Change">What is done.</param>
/// <param name="Line">Where in the diff it begins, from 1.</param>
internal sealed record FilePatch(string Path, FileChange Change, int Line)
{
    /// <summary>What a moved file was called; null for all else.</summary>
    public string? Source { get; init; }

    /// <summary>Whether a deletion takes the file whatever it holds; otherwise the hunks must take all of it away.</summary>
    public bool Unconditional { get; init; }

    /// <summary>Whether the file becomes executable, or stops being it; null = that stays.</summary>
    public bool? Executable { get; init; }

    /// <summary>Its hunks in the order of the file.</summary>
    public IReadOnlyList<Hunk> Hunks { get; init; } = [];

    /// <summary>Why this part of the diff cannot be understood; null where it can.</summary>
    public DiffFault? Fault { get; init; }
}

/// <summary>What becomes of a file.</summary>
internal enum FileChange
{
    /// <summary>Its content changes.</summary>
    Modify,

    /// <summary>It is made.</summary>
    Create,

    /// <summary>It goes.</summary>
    Delete,

    /// <summary>It gets another name, and perhaps other content.</summary>
    Move,
}

/// <summary>A run of lines that changes.</summary>
/// <param name="Start">The first line in the old file, from 1; where the hunk has no old lines, the line that it follows.</param>
/// <param name="Lines">The lines.</param>
/// <param name="Line">Where in the diff its header is, from 1.</param>
internal sealed record Hunk(int Start, IReadOnlyList<HunkLine> Lines, int Line)
{
    /// <summary>The lines that the file must have.</summary>
    public IReadOnlyList<HunkLine> Old { get; } = [.. Lines.Where(static line => line.Kind is not HunkLineKind.Added)];
}

/// <summary>A line of a hunk.</summary>
/// <param name="Kind">Whether it stays, comes or goes.</param>
/// <param name="Text">Its bytes with the line end; without one where it is the file's last and has none.</param>
internal readonly record struct HunkLine(HunkLineKind Kind, ReadOnlyMemory<byte> Text);

/// <summary>What becomes of a line.</summary>
internal enum HunkLineKind
{
    /// <summary>It stays.</summary>
    Kept,

    /// <summary>It goes.</summary>
    Removed,

    /// <summary>It comes.</summary>
    Added,
}

/// <summary>Why a file cannot be patched.</summary>
/// <param name="Message">In words, with the place.</param>
/// <param name="Line">The line meant: of the diff where that makes no sense, of the file where the two do not fit.</param>
internal sealed record DiffFault(string Message, int Line);
