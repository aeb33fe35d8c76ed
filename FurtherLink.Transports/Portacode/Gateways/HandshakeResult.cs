namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>How a device's handshake with a gateway ended.</summary>
internal abstract record HandshakeResult
{
    /// <summary>The gateway said "ok": frames may follow.</summary>
    public sealed record Accepted : HandshakeResult;

    /// <summary>The gateway does not take this key.</summary>
    /// <param name="Reason">Its words, in one line that is safe to print.</param>
    public sealed record Rejected(string Reason) : HandshakeResult;

    /// <summary>It came to no end: nobody answered, or the connection broke.</summary>
    /// <param name="Why">Why, in words.</param>
    public sealed record Failed(string Why) : HandshakeResult;
}
