using System.Collections.Concurrent;
using FurtherLink.Framing;

namespace FurtherLink.Transports.Portacode.Bandwidth;

/// <summary>What each client session of a gateway may be sent, and has been. Thread safe.</summary>
/// <param name="limits">Bytes per second by client, see <see cref="PortacodeOptions.Bandwidth"/>.</param>
/// <param name="time">The clock.</param>
internal sealed class ClientBandwidth(IDictionary<string, long> limits, TimeProvider time)
{
    // A gateway may make up any number of names; who is forgotten begins with a full allowance.
    private const int MaxClients = 10_000;

    private readonly ConcurrentDictionary<string, ClientLimit> _clients = new(StringComparer.Ordinal);

    /// <summary>Whether anybody is limited.</summary>
    public bool IsLimited { get; } = limits.Values.Any(static limit => limit > 0);

    /// <summary>The limit of a client; null = none.</summary>
    public ClientLimit? Of(string client)
    {
        if (!IsLimited)
            return null;
        if (_clients.TryGetValue(client, out var known))
            return known;
        if (!limits.TryGetValue(client, out var limit) && !limits.TryGetValue("*", out limit))
            return null;
        if (limit <= 0)
            return null;
        if (_clients.Count >= MaxClients)
            _clients.Clear();
        return _clients.GetOrAdd(client, _ => new ClientLimit(new TokenBucket(limit, time), time));
    }

    /// <summary>A frame has been written for these clients.</summary>
    public void Sent(IReadOnlyList<string> clients, long bytes)
    {
        if (!IsLimited)
            return;
        foreach (var client in clients)
            Of(client)?.Bucket.Take(bytes);
    }
}

/// <summary>What one client session may be sent.</summary>
/// <param name="bucket">The limit.</param>
/// <param name="time">The clock.</param>
internal sealed class ClientLimit(TokenBucket bucket, TimeProvider time)
{
    // A client that is over its limit all the time is told now and then, not with every piece.
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long? _told;

    /// <summary>The limit.</summary>
    public TokenBucket Bucket { get; } = bucket;

    /// <summary>Whether it is time to tell the client that it is over its limit; asked when it is.</summary>
    public bool ShouldTell()
    {
        lock (_lock)
        {
            if (_told is { } told && time.GetElapsedTime(told) < TellEvery)
                return false;
            _told = time.GetTimestamp();
            return true;
        }
    }
}
