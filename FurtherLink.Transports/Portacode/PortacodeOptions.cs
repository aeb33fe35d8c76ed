namespace FurtherLink.Transports.Portacode;

/// <summary>Settings of the device behind a Portacode gateway; section "FurtherLink:Portacode" of the configuration.</summary>
public sealed class PortacodeOptions
{
    private long _terminalBytesPerSecond;
    private long _fileBytesPerSecond;
    private int _maxRequests = 64;
    private int _maxExecOutput = 1024 * 1024;

    /// <summary>The folder that file actions must stay in, links resolved; null, the default = the whole device, as terminals reach it too.</summary>
    public string? FileRoot { get; set; }

    /// <summary>
    /// Bytes per second that a client session may be sent, by its channel's name; "*" = every one that is not named. 0 = as much as there is, which
    /// is also the default. What goes over it is put off, and the client told; see "Bandwidth" in the protocol document.
    /// </summary>
    public IDictionary<string, long> Bandwidth { get; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Bytes of output per second of each terminal; a program that prints more waits. Default 0 = as much as there is, else at least 1000.</summary>
    public long TerminalBytesPerSecond
    {
        get => _terminalBytesPerSecond;
        set => _terminalBytesPerSecond = value is 0 or >= 1000 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "0, or at least 1000.");
    }

    /// <summary>Bytes per second of all long answers together: contents of files, transfers, replays. Default 0 = as much as there is, else at least 1000.</summary>
    public long FileBytesPerSecond
    {
        get => _fileBytesPerSecond;
        set => _fileBytesPerSecond = value is 0 or >= 1000 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "0, or at least 1000.");
    }

    /// <summary>Requests of a gateway that may be under way at once; one more is refused. Default 64, at least 1.</summary>
    public int MaxRequests
    {
        get => _maxRequests;
        set => _maxRequests = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1.");
    }

    /// <summary>Characters of output that the result of a command repeats, of each stream; the rest has been sent while it ran. Default 1 Mi, at least 1024.</summary>
    public int MaxExecOutput
    {
        get => _maxExecOutput;
        set => _maxExecOutput = value >= 1024 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1024.");
    }
}
