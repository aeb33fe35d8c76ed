using FurtherLink.Sessions.Logs;
using FurtherLink.Telemetry;

namespace FurtherLink.Sessions;

/// <summary>How a log keeps output.</summary>
public sealed class LogOptions
{
    /// <summary>Bytes that come so many milliseconds after others begin a run of their own, which keeps its time.</summary>
    public const int TimeStep = 10;

    private int _capacity = 1024 * 1024;
    private long _start;
    private TimeSpan _stallTimeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Bytes of output kept; a run of bytes of one stream, taken within <see cref="TimeStep"/>, costs 40 more. Default 1 MiB, at least 4 KiB.
    /// </summary>
    public int Capacity
    {
        get => _capacity;
        set => _capacity = value >= 4096 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 4096.");
    }

    /// <summary>
    /// The offset at which the empty log begins: what another log of the same output, which this one mirrors, has lost already. Default 0, at
    /// least 0.
    /// </summary>
    public long Start
    {
        get => _start;
        set => _start = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 0.");
    }

    /// <summary>
    /// How long a full log waits for a lossless reader that makes no progress. Default 30 s, at least 1 ms;
    /// <see cref="Timeout.InfiniteTimeSpan"/> = for ever.
    /// </summary>
    public TimeSpan StallTimeout
    {
        get => _stallTimeout;
        set => _stallTimeout = value == Timeout.InfiniteTimeSpan || value >= TimeSpan.FromMilliseconds(1)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1 ms.");
    }

    /// <summary>The clock for <see cref="StallTimeout"/> and <see cref="OutputChunk.Time"/>. Default the system's.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>
    /// Where output stays that has left the memory: readers find it there. A log that writes to it has a lossless reader that does so. Null,
    /// the default = nowhere.
    /// </summary>
    internal IOutputArchive? Archive { get; set; }

    /// <summary>Counts what is written, and how often that waits; null, the default = nobody does.</summary>
    internal LinkMetrics? Metrics { get; set; }

    /// <summary>Where memory comes from; tests count with one of their own.</summary>
    internal LogBlockPool Pool { get; set; } = LogBlockPool.Shared;
}
