namespace FurtherLink.Client;

/// <summary>How far an upload is.</summary>
/// <param name="Bytes">Bytes that the server has taken.</param>
/// <param name="TotalBytes">Bytes in all.</param>
/// <param name="Files">Files that the server has taken whole.</param>
/// <param name="TotalFiles">Files in all.</param>
public readonly record struct TransferProgress(long Bytes, long TotalBytes, int Files, int TotalFiles);
