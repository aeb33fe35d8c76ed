using FurtherLink.Messages;

namespace FurtherLink.Device;

/// <summary>
/// The uploads in pieces that one client has open. Calls for one upload follow each other in the order in which they come here, and beside those for
/// others; a piece that fails ends its upload, so that none has a hole. Thread safe.
/// </summary>
/// <param name="files">Where uploads go.</param>
/// <param name="done">Told of each that is in place; must not wait.</param>
internal sealed class PeerUploads(FileStore files, Action<StagedUpload> done)
{
    private const int MostOpen = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _open = new(StringComparer.Ordinal);
    private int _count;
    private bool _closed;

    /// <summary>Begins one.</summary>
    /// <exception cref="LinkException">Too many are open, or it cannot be begun.</exception>
    public Task<object?> BeginAsync(UploadBegin begin, string? user)
    {
        lock (_lock)
        {
            if (_closed)
                throw new LinkException(FailureCode.Failed, "the connection has ended");
            if (_open.Count >= MostOpen)
                throw new LinkException(FailureCode.Limited, $"{MostOpen} uploads are open already: end or cancel one first");
            var entry = new Entry($"u{++_count}");
            _open.Add(entry.Id, entry);
            return Follow(entry, () =>
            {
                entry.Upload = files.Begin(begin.Name, user);
                return entry.State;
            });
        }
    }

    /// <summary>Appends a piece.</summary>
    /// <exception cref="LinkException">There is no such upload, or it cannot be taken.</exception>
    public Task<object?> AppendAsync(UploadPiece piece) => Follow(piece.Upload, entry =>
    {
        if (piece.Fault is { } fault)
            throw fault;
        entry.Upload!.Append(piece.Path, piece.Content.Span, piece.Executable);
        return entry.State;
    });

    /// <summary>Puts an upload in place.</summary>
    /// <exception cref="LinkException">There is no such upload, or it cannot be put there.</exception>
    public Task<object?> EndAsync(UploadEnd end) => Follow(end.Upload, entry =>
    {
        files.Finish(entry.Upload!);
        done(entry.Upload!);
        Drop(entry);
        return new UploadDone(FetchedUrls: true);
    });

    /// <summary>Gives an upload up.</summary>
    /// <exception cref="LinkException">There is no such upload.</exception>
    public Task<object?> CancelAsync(UploadEnd cancel) => Follow(cancel.Upload, entry =>
    {
        var state = entry.State;
        Drop(entry);
        return state;
    });

    /// <summary>Gives all up when the client has gone, and takes no new ones.</summary>
    public async Task CloseAsync(CancellationToken gone)
    {
        await Task.Delay(Timeout.Infinite, gone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Entry[] left;
        lock (_lock)
        {
            _closed = true;
            left = [.. _open.Values];
        }

        foreach (var entry in left)
        {
            await entry.Last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Drop(entry);
        }
    }

    private static LinkException Unknown(string id) => new(FailureCode.NotFound, $"there is no upload \"{id}\" that is open");

    private Task<object?> Follow(string id, Func<Entry, object> work)
    {
        lock (_lock)
        {
            if (_closed || !_open.TryGetValue(id, out var entry))
                throw Unknown(id);
            return Follow(entry, () => entry.Upload is null ? throw Unknown(id) : work(entry));
        }
    }

    // Under the lock: the order in which it is taken is the one in which the calls have come.
    private Task<object?> Follow(Entry entry, Func<object> work)
    {
        var task = RunAsync(entry, entry.Last, work);
        entry.Last = task;
        return task;
    }

    private async Task<object?> RunAsync(Entry entry, Task before, Func<object> work)
    {
        // Off the caller's thread, which may be the one that reads for everybody: this one waits for disks.
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        try
        {
            return work();
        }
        catch (Exception e)
        {
            Drop(entry);
            if (e is IOException or UnauthorizedAccessException)
                throw new LinkException(FailureCode.Failed, e.Message, e);
            throw;
        }
    }

    private void Drop(Entry entry)
    {
        lock (_lock)
            _open.Remove(entry.Id);
        entry.Upload?.Dispose();
        entry.Upload = null;
    }

    /// <summary>One that is open; its upload is used by one call at a time.</summary>
    private sealed class Entry(string id)
    {
        public string Id { get; } = id;

        public StagedUpload? Upload { get; set; }

        /// <summary>The call that came last.</summary>
        public Task Last { get; set; } = Task.CompletedTask;

        public UploadState State => new(Id, Upload?.Bytes ?? 0);
    }
}
