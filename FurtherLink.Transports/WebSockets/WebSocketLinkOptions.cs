namespace FurtherLink.Transports.WebSockets;

/// <summary>Settings of the WebSocket and HTTP endpoints; they stand in the section "FurtherLink" of the configuration.</summary>
public sealed class WebSocketLinkOptions
{
    private TimeSpan _keepAliveInterval = TimeSpan.FromSeconds(10);
    private TimeSpan _keepAliveTimeout = TimeSpan.FromSeconds(15);
    private int? _maxConnections;
    private int _maxTotalConnections = 5000;
    private TimeSpan _loginLifetime = TimeSpan.FromHours(12);

    /// <summary>
    /// Names in the Host header by which this device is asked for, without ports ("device.example.org"), beside those that always are: localhost and what
    /// ends with ".localhost", every IP address, the machine's name, and that with ".local". Default none.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>
    /// Origins of web pages, beside the server's own, that may use the device with credentials, as browsers send them ("https://app.example.org").
    /// Default none.
    /// </summary>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>
    /// Origins of web pages that may use the device as a program of their user could (<see cref="LoopbackAccess"/>), and with credentials from elsewhere,
    /// as browsers send them ("https://further.pi-top.com"). Default none.
    /// </summary>
    public IList<string> TrustedOrigins { get; } = [];

    /// <summary>
    /// Whether programs on this device need no credentials over a loopback address: they act as the user that they belong to, web pages but those of
    /// <see cref="TrustedOrigins"/> do not. Default true.
    /// </summary>
    public bool LoopbackAccess { get; set; } = true;

    /// <summary>How long a browser stays logged in by its cookie. Default 12 hours, at least 1 s.</summary>
    public TimeSpan LoginLifetime
    {
        get => _loginLifetime;
        set => _loginLifetime = value >= TimeSpan.FromSeconds(1) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1 s.");
    }

    /// <summary>
    /// Whether everything is open as it was in Further-Link: to anybody, any web page, by any host name, without credentials; nobody may name a user to
    /// run as then. Default false.
    /// </summary>
    public bool LegacyOpen { get; set; }

    /// <summary>
    /// How many requests and WebSockets of one address may be under way at once, of an IPv6 address those of its network of 64 bits, of a loopback address
    /// those of one user; a tenth of them while it is not known who is there. More are answered with 429. Null, the default = 2000 from a loopback address,
    /// 100 from another; else at least 1.
    /// </summary>
    public int? MaxConnections
    {
        get => _maxConnections;
        set => _maxConnections = value is null or >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1.");
    }

    /// <summary>
    /// How many requests and WebSockets of all addresses together may be under way at once. More are answered with 503, but for the first 20 of each user
    /// of this device. Default 5000, at least 1.
    /// </summary>
    public int MaxTotalConnections
    {
        get => _maxTotalConnections;
        set => _maxTotalConnections = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1.");
    }

    /// <summary>After how long without a sign of life a client is sent a ping. Default 10 s.</summary>
    public TimeSpan KeepAliveInterval
    {
        get => _keepAliveInterval;
        set => _keepAliveInterval = Positive(value);
    }

    /// <summary>How long the answer to a ping may take before the client counts as gone. Default 15 s, so 25 s in all.</summary>
    public TimeSpan KeepAliveTimeout
    {
        get => _keepAliveTimeout;
        set => _keepAliveTimeout = Positive(value);
    }

    /// <summary>Whether messages are compressed for clients that offer it (RFC 7692). It costs 60 to 80 times the processor time. Default false.</summary>
    public bool Compression { get; set; }

    private static TimeSpan Positive(TimeSpan value) =>
        value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "More than zero.");
}
