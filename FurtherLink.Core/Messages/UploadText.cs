namespace FurtherLink.Messages;

/// <summary>The body of the call "files.upload": an upload as the client spelled it, not looked into yet.</summary>
/// <param name="Json">A JSON object in UTF-8, of the form that is posted to /upload ("name", "files", "username"). Not borrowed.</param>
public sealed record UploadText(ReadOnlyMemory<byte> Json)
{
    /// <summary>The user whose files they become; null = the connection's, else the default user.</summary>
    public string? User { get; init; }
}
