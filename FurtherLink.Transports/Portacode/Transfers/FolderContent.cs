namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>What a folder holds, counted.</summary>
/// <param name="Size">Bytes of all files.</param>
/// <param name="StorageBytes">Bytes that they take on a disk with blocks of 4 KiB.</param>
/// <param name="Entries">Files and folders, itself included.</param>
/// <param name="Skipped">Links, pipes, sockets and devices, which do not travel.</param>
internal sealed record FolderContent(long Size, long StorageBytes, int Entries, int Skipped)
{
    /// <summary>Bytes of an archive of it, at most.</summary>
    // A file ends on 512 bytes; its header, with an extended one for a long name, is below 8 KiB.
    public long ArchiveBytes => Size + (Entries * 8192L) + 10240;
}
