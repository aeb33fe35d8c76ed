using FurtherLink.Transports.Portacode.Transfers;

namespace FurtherLink.Transports.Portacode;

/// <summary>Settings of the device behind a Portacode gateway; section "FurtherLink:Portacode" of the configuration.</summary>
public sealed class PortacodeOptions
{
    private long _terminalBytesPerSecond;
    private long _fileBytesPerSecond;
    private double _fileShare = 0.5;
    private int _maxRequests = 64;
    private int _maxExecOutput = 1024 * 1024;
    private int _fileReadLimit = 64 * 1024 * 1024;
    private Uri? _gatewayUrl;
    private TimeSpan _handshakeTimeout = TimeSpan.FromSeconds(15);
    private TimeSpan _keepAliveInterval = TimeSpan.FromSeconds(10);
    private TimeSpan _keepAliveTimeout = TimeSpan.FromSeconds(15);
    private TimeSpan _minBackoff = TimeSpan.FromSeconds(0.5);
    private TimeSpan _maxBackoff = TimeSpan.FromSeconds(30);
    private int _maxMessage = 8 * 1024 * 1024;

    /// <summary>The gateway that the device dials, "ws" or "wss"; null, the default = none: gateways dial in.</summary>
    public Uri? GatewayUrl
    {
        get => _gatewayUrl;
        set => _gatewayUrl = value is null or { IsAbsoluteUri: true, Scheme: "ws" or "wss", Fragment: "" }
            ? value
            : throw new ArgumentException("An address that begins with ws:// or wss://.", nameof(value));
    }

    /// <summary>The folder with the device's key pair, "id_portacode" and "id_portacode.pub", which are made where they are missing. Mandatory.</summary>
    public string KeyDirectory { get; set; } = "";

    /// <summary>What a rejected key means: the end, or slow attempts. Default <see cref="KeyRejection.End"/>.</summary>
    public KeyRejection OnRejected { get; set; }

    /// <summary>How long dialling, and each message of the handshake, may take. Default 15 s.</summary>
    public TimeSpan HandshakeTimeout
    {
        get => _handshakeTimeout;
        set => _handshakeTimeout = Wait(value);
    }

    /// <summary>After how long without a sign of life a dialled gateway is sent a ping. Default 10 s.</summary>
    public TimeSpan KeepAliveInterval
    {
        get => _keepAliveInterval;
        set => _keepAliveInterval = Wait(value);
    }

    /// <summary>How long the answer to a ping may take before the gateway counts as gone. Default 15 s, so 25 s in all.</summary>
    public TimeSpan KeepAliveTimeout
    {
        get => _keepAliveTimeout;
        set => _keepAliveTimeout = Wait(value);
    }

    /// <summary>The first wait before a gateway is dialled again; jitter takes up to a half of it, and further waits double. Default 0.5 s.</summary>
    public TimeSpan MinBackoff
    {
        get => _minBackoff;
        set => _minBackoff = Wait(value);
    }

    /// <summary>The longest wait; within a minute of the loss of a connection waits are at most 5 s as well. Default 30 s.</summary>
    public TimeSpan MaxBackoff
    {
        get => _maxBackoff;
        set => _maxBackoff = Wait(value);
    }

    /// <summary>The longest message a gateway may send, in bytes. Default 8 MiB, at least 64 KiB.</summary>
    public int MaxMessage
    {
        get => _maxMessage;
        set => _maxMessage = value >= 64 * 1024 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 65536.");
    }

    /// <summary>Limits of uploads, downloads and transfers.</summary>
    public TransferOptions Transfers { get; } = new();

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

    /// <summary>
    /// Which part of the turns that terminals and long answers take is the long answers', while both wait; terminals share theirs alike. Default 0.5,
    /// 0.01 to 0.99.
    /// </summary>
    public double FileShare
    {
        get => _fileShare;
        set => _fileShare = value is >= 0.01 and <= 0.99 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "0.01 to 0.99.");
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

    /// <summary>The most bytes of a file that one "file_read" gives; larger ones are read by pages. Default 64 MiB, 4 KiB to 128 MiB.</summary>
    public int FileReadLimit
    {
        get => _fileReadLimit;
        // The answer holds the file as one text, and .NET's JSON writer takes none of more than 166 666 666 characters: 10^9 bytes, six for a character at worst.
        set => _fileReadLimit = value is >= 4096 and <= 128 * 1024 * 1024
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "4096 to 134217728.");
    }

    private static TimeSpan Wait(TimeSpan value) => value > TimeSpan.Zero && value <= TimeSpan.FromHours(1)
        ? value
        : throw new ArgumentOutOfRangeException(nameof(value), value, "More than zero, and at most an hour.");
}

/// <summary>What a device does whose key its gateway has rejected.</summary>
public enum KeyRejection
{
    /// <summary>It gives up: nothing gets better by itself.</summary>
    End,

    /// <summary>It tries again now and then, for a person to register the key meanwhile.</summary>
    Retry,
}
