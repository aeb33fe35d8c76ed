using System.Security.Cryptography;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>The uploads whose pieces are still coming: few, of bounded size, and given up when nothing comes for a while. Thread safe.</summary>
internal sealed class ChunkedUploads : IDisposable
{
    // Enough to answer repeated pieces whose acknowledgement was lost.
    private const int Remembered = 64;

    // Base64 makes 4 characters of 3 bytes; a piece is longer than the text around it.
    private const int MostPieces = 1 << 20;

    private readonly DevicePaths _paths;
    private readonly TransferOptions _options;
    private readonly FreeSpace _space;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Queue<(string Key, string Path, long Size)> _finished = new();
    private bool _disposed;

    public ChunkedUploads(DevicePaths paths, TransferOptions options, FreeSpace space, TimeProvider time)
    {
        _paths = paths;
        _options = options;
        _space = space;
        _time = time;
        _timer = time.CreateTimer(static state => ((ChunkedUploads)state!).RemoveIdle(), this, options.UploadIdle / 2, options.UploadIdle / 2);
    }

    /// <summary>Takes a piece of an upload.</summary>
    /// <param name="request">The request, with the fields of a chunk.</param>
    /// <param name="path">The file, absolute.</param>
    /// <param name="piece">The piece of base64.</param>
    /// <param name="cancellationToken">Cancelled when the gateway goes; the piece may be sent again.</param>
    /// <returns>The file's size where it is in place; null while pieces are missing.</returns>
    /// <exception cref="LinkException">A mistake of the client, or a limit.</exception>
    /// <exception cref="IOException">It cannot be kept.</exception>
    public async ValueTask<long?> AddAsync(PortacodeRequest request, string path, string piece, CancellationToken cancellationToken)
    {
        var id = request.RequireText("transfer_id");
        if (id.Length > 128)
            throw new LinkException(FailureCode.BadValue, "transfer_id parameter must have at most 128 characters");
        var count = (int)Require(request, "chunk_count", 1, MostPieces);
        var index = (int)Require(request, "chunk_index", 0, count - 1);
        var most = (_options.MaxUploadBytes + 2) / 3 * 4;
        var total = Require(request, "total_size", 0, long.MaxValue);
        if (total > most)
            throw new LinkException(FailureCode.Limited, $"File is too large: an upload may have {_options.MaxUploadBytes} bytes");
        if (ContentHash.Read(request, "chunk_hash") is { } hash && !SHA256.HashData(Encoding.UTF8.GetBytes(piece)).AsSpan().SequenceEqual(hash))
            throw new LinkException(FailureCode.BadValue, $"chunk_hash parameter is not the hash of chunk {index}");

        var key = $"{request.Client}\n{id}";
        if (Find(key, path) is { } size)
            return size;
        var entry = Open(key, path, total, () =>
        {
            StagedFile.DemandFree(path, request.Flag("overwrite"));
            return new ChunkedUpload(_paths, path, count, total, ContentHash.Read(request, "content_hash"));
        });
        await entry.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // It may have ended while this piece waited for its turn.
            if (entry.Ended)
                return Find(key, path) ?? throw new LinkException(FailureCode.NotFound, $"Transfer not found: {id}");
            if (entry.Upload.Path != path || entry.Upload.Count != count || entry.Upload.TotalSize != total)
                throw new LinkException(FailureCode.BadValue, $"Transfer {id} has another path, chunk_count or total_size");
            entry.Touched = _time.GetTimestamp();
            await entry.Upload.AddAsync(index, piece, cancellationToken).ConfigureAwait(false);
            if (!entry.Upload.IsWhole)
                return null;
            return await FinishAsync(key, entry, request).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                if (_disposed && !entry.Ended)
                    End(key, entry);
            }

            entry.Gate.Release();
        }
    }

    /// <summary>Gives up what is under way.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            _disposed = true;
            foreach (var (key, entry) in _entries.ToArray())
                TryEnd(key, entry);
        }
    }

    private static long Require(PortacodeRequest request, string name, long least, long most) =>
        request.Integer(name, least, most) ?? throw new LinkException(FailureCode.BadMessage, $"{name} parameter is required");

    private long? Find(string key, string path)
    {
        lock (_lock)
        {
            foreach (var done in _finished)
            {
                if (done.Key == key && done.Path == path)
                    return done.Size;
            }

            return null;
        }
    }

    private Entry Open(string key, string path, long total, Func<ChunkedUpload> begin)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_entries.TryGetValue(key, out var known))
                return known;
            if (_entries.Count >= _options.MaxUploads)
                throw new LinkException(FailureCode.Limited, $"{_options.MaxUploads} uploads are under way: try again when one of them is complete");
            if (_entries.Values.Sum(static entry => entry.Upload.TotalSize) + total > (_options.MaxUploadBytes + 2) / 3 * 4)
            {
                throw new LinkException(
                    FailureCode.Limited, $"The uploads under way have more than {_options.MaxUploadBytes} bytes: try again when one of them is complete");
            }

            // The text and the file are there together for a moment.
            _space.Demand(Path.GetDirectoryName(path)!, total + (total / 4 * 3));
            var entry = new Entry(begin()) { Touched = _time.GetTimestamp() };
            _entries[key] = entry;
            return entry;
        }
    }

    /// <summary>Whole or refused, it is over: once begun, the gateway's going does not stop it.</summary>
    private async ValueTask<long> FinishAsync(string key, Entry entry, PortacodeRequest request)
    {
        try
        {
            var size = await entry.Upload.InstallAsync(request.Flag("overwrite"), request.Integer("file_size", 0), CancellationToken.None).ConfigureAwait(false);
            lock (_lock)
            {
                _finished.Enqueue((key, entry.Upload.Path, size));
                if (_finished.Count > Remembered)
                    _ = _finished.Dequeue();
            }

            return size;
        }
        finally
        {
            lock (_lock)
                End(key, entry);
        }
    }

    private void RemoveIdle()
    {
        lock (_lock)
        {
            foreach (var (key, entry) in _entries.ToArray())
            {
                if (_time.GetElapsedTime(entry.Touched) >= _options.UploadIdle)
                    TryEnd(key, entry);
            }
        }
    }

    /// <summary>Ends one that nobody is busy with; who is busy is not idle, and ends it himself.</summary>
    private void TryEnd(string key, Entry entry)
    {
        if (!entry.Gate.Wait(0))
            return;
        End(key, entry);
        entry.Gate.Release();
    }

    private void End(string key, Entry entry)
    {
        entry.Ended = true;
        entry.Upload.Dispose();
        _ = _entries.Remove(key);
    }

    private sealed class Entry(ChunkedUpload upload)
    {
        public ChunkedUpload Upload { get; } = upload;

        public SemaphoreSlim Gate { get; } = new(1);

        public long Touched { get; set; }

        public bool Ended { get; set; }
    }
}
