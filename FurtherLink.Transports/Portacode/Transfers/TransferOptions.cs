namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>Limits of uploads, downloads and transfers.</summary>
public sealed class TransferOptions
{
    private long _maxBytes = 10L << 30;
    private int _maxEntries = 100_000;
    private int _maxTransfers = 32;
    private long _maxUploadBytes = 1L << 30;
    private int _maxUploads = 16;
    private int _maxWholeBytes = 16 << 20;
    private TimeSpan _uploadIdle = TimeSpan.FromMinutes(5);
    private TimeSpan _transferIdle = TimeSpan.FromHours(24);

    /// <summary>Bytes of one transfer, packed and unpacked alike. Default 10 GiB, at least 1 MiB.</summary>
    public long MaxBytes
    {
        get => _maxBytes;
        set => _maxBytes = value >= 1 << 20 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1 MiB.");
    }

    /// <summary>Files and folders of one transfer. Default 100 000, at least 1.</summary>
    public int MaxEntries
    {
        get => _maxEntries;
        set => _maxEntries = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1.");
    }

    /// <summary>Transfers that may be under way at once; one more is refused. Default 32, at least 1.</summary>
    public int MaxTransfers
    {
        get => _maxTransfers;
        set => _maxTransfers = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1.");
    }

    /// <summary>Bytes of one upload, and of all that come in pieces at once. Default 1 GiB, at least 1 MiB.</summary>
    public long MaxUploadBytes
    {
        get => _maxUploadBytes;
        set => _maxUploadBytes = value >= 1 << 20 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1 MiB.");
    }

    /// <summary>Uploads in pieces that may be under way at once; one more is refused. Default 16, at least 1.</summary>
    public int MaxUploads
    {
        get => _maxUploads;
        set => _maxUploads = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1.");
    }

    /// <summary>Bytes of a file that is sent in one message; a larger one must be asked for in pieces. Default 16 MiB, 64 KiB to 256 MiB.</summary>
    public int MaxWholeBytes
    {
        get => _maxWholeBytes;
        set => _maxWholeBytes = value is >= 64 << 10 and <= 256 << 20
            ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "64 KiB to 256 MiB.");
    }

    /// <summary>How long an upload waits for its next piece before it is given up. Default 5 minutes, at least 1 s.</summary>
    public TimeSpan UploadIdle
    {
        get => _uploadIdle;
        set => _uploadIdle = value >= TimeSpan.FromSeconds(1) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1 s.");
    }

    /// <summary>How long a transfer waits for its next request before it is given up, at most and where it does not say. Default 24 hours, at least 1 minute.</summary>
    public TimeSpan TransferIdle
    {
        get => _transferIdle;
        set => _transferIdle = value >= TimeSpan.FromMinutes(1) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1 minute.");
    }
}
