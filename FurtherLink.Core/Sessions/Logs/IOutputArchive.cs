namespace FurtherLink.Sessions.Logs;

/// <summary>Keeps output that has left a log's memory, in whole or in part. Thread safe.</summary>
internal interface IOutputArchive
{
    /// <summary>
    /// Whether what has left the memory may not be there yet: who finds neither it nor anything behind asks again for a while.
    /// </summary>
    bool MayFollow { get; }

    /// <summary>Begins to read it; must not wait.</summary>
    IArchiveReader Open();
}

/// <summary>One reading of an archive, by one thread at a time, which may wait for a disk.</summary>
internal interface IArchiveReader : IDisposable
{
    /// <summary>
    /// Reads on at an offset, or where that is gone, at the first one behind it that is there, up to the next hole. What cannot be read is
    /// gone: this does not throw for it.
    /// </summary>
    /// <param name="offset">Where, by the log's offsets.</param>
    /// <param name="pieces">Is filled, as far as it is there; empty where neither that offset nor a later one is.</param>
    void Read(long offset, ArchivePieces pieces);
}
