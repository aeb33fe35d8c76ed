using System.IO.Pipelines;
using FurtherLink.Messages;

namespace FurtherLink.Sessions;

/// <summary>How a log keeps output.</summary>
public sealed class LogOptions
{
    private int _capacity = 1024 * 1024;

    /// <summary>Bytes of output kept. Default 1 MiB, at least 4 KiB.</summary>
    public int Capacity
    {
        get => _capacity;
        set => _capacity = value >= 4096 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 4096.");
    }

    /// <summary>How long a full log waits for a lossless reader that makes no progress. Default 30 s.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock for <see cref="StallTimeout"/>.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;
}

/// <summary>A bounded log of a program's output, addressed by absolute 64-bit byte offsets.</summary>
public sealed class OutputLog(LogOptions options)
{
    /// <summary>The options it was made with.</summary>
    public LogOptions Options { get; } = options;

    /// <summary>The oldest offset still kept.</summary>
    public long Start { get; private set; }

    /// <summary>The offset behind the newest byte.</summary>
    public long End { get; private set; }

    /// <summary>The writer of one stream.</summary>
    public PipeWriter GetWriter(OutputKind kind) => throw new NotSupportedException(kind.ToString());

    /// <summary>Ends the log.</summary>
    public void Complete(ExitStatus status) => throw new NotSupportedException(status.ToString());

    /// <summary>Attaches a reader.</summary>
    public OutputReader Attach(ReaderOptions options) => new(this, options);
}
