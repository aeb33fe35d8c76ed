using FurtherLink.Messages;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Settings of the WebSocket and HTTP endpoints; they stand in the section "FurtherLink" of the configuration.</summary>
public sealed class WebSocketLinkOptions
{
    private TimeSpan _keepAliveInterval = TimeSpan.FromSeconds(10);
    private TimeSpan _keepAliveTimeout = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Origins of web pages, beside the server's own, that may run programs and upload, as browsers send them
    /// ("https://further.pi-top.com"). Default none.
    /// </summary>
    public IList<string> TrustedOrigins { get; } = [];

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

    /// <summary>
    /// What a request may do whose user carries no claim of FurtherLink's own: everybody who can reach an endpoint that asks for no
    /// authentication. Default <see cref="Access.Own"/>.
    /// </summary>
    public Access DefaultAccess { get; set; } = Access.Own;

    private static TimeSpan Positive(TimeSpan value) =>
        value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "More than zero.");
}
