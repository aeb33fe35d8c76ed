using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Spills;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Tests.Sessions.Spills;

/// <summary>A log with a spill on a disk of the test's own, and what tests of it do all the time.</summary>
internal sealed class SpillFixture : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("furtherlink-test-").FullName;
    private Spill? _spill;

    public SpillFixture(long capacity = 64 * 1024, int segmentSize = 8 * 1024, int logCapacity = 4096, TimeSpan? retention = null, string? root = null)
    {
        Path = System.IO.Path.Combine(root ?? _folder, "session");
        Log = new OutputLog(new LogOptions { Capacity = logCapacity, Time = Time, Archive = new SpillArchive(Path, isWrittenElsewhere: false, NullLogger.Instance) });
        Notices = new SessionNotices(Log);
        Notices.Follow(notice =>
        {
            if (notice.Topic == "spill")
                Stopped.Add(((SpillStopped)notice.Body!).Reason);
        });
        Options = new SpillOptions(capacity, segmentSize, retention ?? TimeSpan.FromHours(24));
    }

    public ManualTimeProvider Time { get; } = new();

    public string Path { get; }

    public OutputLog Log { get; }

    public SessionNotices Notices { get; }

    public SpillOptions Options { get; }

    public List<string> Stopped { get; } = [];

    public Spill Spill => _spill ??= new Spill(Path, Log, Notices, Options, NullLogger.Instance);

    /// <summary>Bytes in files.</summary>
    public long Size => Directory.Exists(Path) ? new DirectoryInfo(Path).EnumerateFiles().Sum(file => file.Exists ? file.Length : 0) : 0;

    /// <summary>The offset behind what its spill has written.</summary>
    public long Written => Log.Readers.Find(reader => reader.Options.MemoryOnly)?.Released ?? Log.End;

    /// <summary>Waits until all is on disk.</summary>
    public async Task SettleAsync()
    {
        await Patience.UntilAsync(() =>
        {
            Spill.Tick();
            return Written == Log.End;
        }, "all is on disk");
    }

    /// <summary>Writes, waiting for room.</summary>
    public async Task WriteAsync(byte[] data, OutputKind kind = OutputKind.Out)
    {
        _ = Spill;
        foreach (var part in data.Chunk(1500))
            await Log.Put(part, kind).WaitAsync(Patience.Long);
    }

    /// <summary>Reads to the log's end, which must be complete.</summary>
    public async Task<List<OutputChunk>> ReadAllAsync(ReaderOptions? options = null, int maxBytes = 64 * 1024)
    {
        using var reader = Log.Attach(options ?? new ReaderOptions());
        var chunks = new List<OutputChunk>();
        while (true)
        {
            var chunk = await reader.ReadAsync(maxBytes, CancellationToken.None).AsTask().WaitAsync(Patience.Long);
            chunks.Add(chunk with { Data = chunk.Data.ToArray() });
            if (chunk.Exit is not null)
                return chunks;
            reader.Release(chunk.Next);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_spill is not null)
            await _spill.DisposeAsync();
        Log.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
