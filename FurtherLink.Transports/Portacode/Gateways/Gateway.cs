using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using FurtherLink.Framing;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Transports.Portacode.Bandwidth;
using FurtherLink.Transports.Portacode.Clients;

namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>
/// What the device knows of one gateway, over all its connections: the client sessions behind it, and the terminals it has been shown. A connection
/// carries it as its tag (<see cref="LinkConnection.Tag"/>). Thread safe.
/// </summary>
/// <param name="options">The settings.</param>
/// <param name="time">The clock.</param>
public sealed class Gateway(PortacodeOptions options, TimeProvider time)
{
    private int _underWay;

    /// <summary>What a connection of it asks for by connecting (<see cref="LinkConnection.Opening"/>).</summary>
    public static ClientMessage Opening { get; } = new Call("portacode.open", null);

    /// <summary>The settings.</summary>
    internal PortacodeOptions Options { get; } = options;

    /// <summary>The clock.</summary>
    internal TimeProvider Time { get; } = time;

    /// <summary>The client sessions behind it.</summary>
    internal ClientSessions Sessions { get; } = new();

    /// <summary>What each of them may be sent.</summary>
    internal ClientBandwidth Bandwidth { get; } = new(options.Bandwidth, time);

    /// <summary>What long answers together may take; null = as much as there is.</summary>
    internal TokenBucket? FileLimit { get; } = options.FileBytesPerSecond > 0 ? new TokenBucket(options.FileBytesPerSecond, time) : null;

    /// <summary>The terminals it has been shown, whose end it has not been told.</summary>
    internal ConcurrentDictionary<string, GatewayTerminal> Terminals { get; } = new(StringComparer.Ordinal);

    /// <summary>The connection there is; null = none.</summary>
    internal Peer? Peer { get; set; }

    /// <summary>Whether it was ever connected.</summary>
    internal bool WasOpened { get; set; }

    /// <summary>Begins a request that runs beside others; false where too many do.</summary>
    internal bool TryBegin()
    {
        if (Interlocked.Increment(ref _underWay) <= Options.MaxRequests)
            return true;
        End();
        return false;
    }

    /// <summary>Ends a request that was begun.</summary>
    internal void End() => Interlocked.Decrement(ref _underWay);

    /// <summary>Tells a client that it is over its limit.</summary>
    /// <param name="client">Which.</param>
    /// <param name="bucket">Its limit.</param>
    /// <param name="terminal">The terminal whose output it concerns.</param>
    /// <param name="skipped">Whether it misses output meanwhile, as others get it; false = the output waits.</param>
    internal void TellLimited(string client, TokenBucket bucket, GatewayTerminal terminal, bool skipped) =>
        Peer?.Post(new Result("portacode.limit", new PortacodeEvent("bandwidth_limited", new JsonObject
        {
            ["client_channel"] = client,
            ["terminal_id"] = terminal.Id,
            ["bytes_per_second"] = bucket.Rate,
            ["retry_after"] = Math.Round(bucket.Wait.TotalSeconds, 3),
            ["skipped"] = skipped,
            ["message"] = skipped
                ? $"client {client} may be sent {bucket.Rate} bytes a second: it misses output, which terminal_replay fetches"
                : $"client {client} may be sent {bucket.Rate} bytes a second: output waits",
        }))
        { Client = client });
}
