namespace FurtherLink.Device;

/// <summary>Whether an upload was carried out, and whose fault it is where not.</summary>
public enum UploadStatus
{
    /// <summary>The directory has the new content.</summary>
    Done,

    /// <summary>The object has not the form of an upload; nothing was changed. HTTP: 400.</summary>
    Invalid,

    /// <summary>It has the form but could not be carried out; nothing was changed. HTTP: 500.</summary>
    Failed,

    /// <summary>It is longer than <see cref="LinkOptions.MaxUpload"/>; nothing was changed. HTTP: 413.</summary>
    TooLarge,
}

/// <summary>How an upload ended.</summary>
/// <param name="Status">Whether it was carried out.</param>
/// <param name="FetchedUrls">
/// Whether every file that is given by its address is there; false where one was left out because the network could not be reached.
/// </param>
/// <param name="Reason">What was wrong, in words; null where it was carried out.</param>
public sealed record UploadOutcome(UploadStatus Status, bool FetchedUrls, string? Reason)
{
    /// <summary>The directory that has the new content; null where nothing was changed.</summary>
    public string? Directory { get; init; }

    /// <summary>The user whose it is; null where nothing was changed.</summary>
    public string? User { get; init; }
}
