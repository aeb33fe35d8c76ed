namespace FurtherLink.Messages;

/// <summary>The body of the call "files.uploadBegin": a directory whose files follow in pieces. Answered by <see cref="UploadState"/>.</summary>
/// <param name="Name">The directory that it becomes, in the work directory.</param>
public sealed record UploadBegin(string Name)
{
    /// <summary>The user whose files they become; null = the connection's, else the default user.</summary>
    public string? User { get; init; }
}

/// <summary>The body of the call "files.uploadFile": the next piece of a file. Answered by <see cref="UploadState"/>.</summary>
/// <param name="Upload">Which upload, see <see cref="UploadState.Upload"/>.</param>
/// <param name="Path">The file, in the directory; it begins with its first piece.</param>
/// <param name="Content">What is appended to it; may be empty. Not borrowed.</param>
public sealed record UploadPiece(string Upload, string Path, ReadOnlyMemory<byte> Content)
{
    /// <summary>Whether the file may be run. Default false: as it was.</summary>
    public bool Executable { get; init; }

    /// <summary>What was wrong with the message that the piece came in, so that it is not one; null = nothing.</summary>
    internal LinkException? Fault { get; init; }
}

/// <summary>The body of the calls "files.uploadEnd", answered by <see cref="UploadDone"/>, and "files.uploadCancel", answered by <see cref="UploadState"/>.</summary>
/// <param name="Upload">Which upload, see <see cref="UploadState.Upload"/>.</param>
public sealed record UploadEnd(string Upload);

/// <summary>How far an upload in pieces is.</summary>
/// <param name="Upload">By what its connection names it ("u1").</param>
/// <param name="Bytes">Bytes of all its files so far.</param>
public sealed record UploadState(string Upload, long Bytes);

/// <summary>An upload stands under its name.</summary>
/// <param name="FetchedUrls">Whether every file that was to be fetched has been.</param>
public sealed record UploadDone(bool FetchedUrls);
