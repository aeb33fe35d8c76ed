namespace FurtherLink.Messages;

/// <summary>How far an upload in pieces is.</summary>
/// <param name="Upload">What it is called on this connection.</param>
/// <param name="Bytes">Bytes of contents that have been taken.</param>
public sealed record UploadPlace(string Upload, long Bytes);
