namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>What became of one file of a diff.</summary>
/// <param name="Patch">The part of the diff.</param>
/// <param name="Path">The file's absolute path; as the diff names it where it cannot be resolved.</param>
/// <param name="Change">What was done.</param>
/// <param name="BytesWritten">How many bytes it got.</param>
internal sealed record PatchOutcome(FilePatch Patch, string Path, FileChange Change, long BytesWritten)
{
    /// <summary>Why nothing was done; null where it was.</summary>
    public string? Error { get; init; }

    /// <summary>The line that the error is about; null where it is about none.</summary>
    public int? Line { get; init; }

    /// <summary>The change in the words of the protocol.</summary>
    public string Action => Change switch
    {
        FileChange.Create => "created",
        FileChange.Delete => "deleted",
        _ => "modified",
    };

    /// <summary>A file that stays as it was.</summary>
    public static PatchOutcome Failed(FilePatch patch, string path, string error) => new(patch, path, patch.Change, 0) { Error = error };

    /// <summary>A file that stays as it was because of a line.</summary>
    public static PatchOutcome Failed(FilePatch patch, string path, DiffFault fault) =>
        Failed(patch, path, path.Length > 0 ? $"{path}: {fault.Message}" : fault.Message) with { Line = fault.Line };
}
