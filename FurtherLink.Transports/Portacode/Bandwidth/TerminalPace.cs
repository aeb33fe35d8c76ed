using FurtherLink.Framing;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Transports.Portacode.Bandwidth;

/// <summary>
/// Holds a terminal's output back until the gateway has been greeted, and while the terminal is over its limit, or all who are interested are over
/// theirs. Used by one connection at a time.
/// </summary>
/// <param name="gateway">The gateway.</param>
/// <param name="terminal">The terminal.</param>
/// <param name="greeting">What output waits for before any of it is sent.</param>
/// <param name="time">The clock.</param>
internal sealed class TerminalPace(Gateway gateway, GatewayTerminal terminal, Task greeting, TimeProvider time) : IPace
{
    private readonly TokenBucket? _bucket = gateway.Options.TerminalBytesPerSecond is > 0 and var rate ? new TokenBucket(rate, time) : null;

    /// <summary>Whether any limit could concern a terminal of a gateway.</summary>
    public static bool IsNeeded(Gateway gateway) => gateway.Options.TerminalBytesPerSecond > 0 || gateway.Bandwidth.IsLimited;

    /// <inheritdoc/>
    public int Allow(int most, Action later)
    {
        if (!greeting.IsCompleted)
        {
            _ = LaterAsync(greeting, later);
            return 0;
        }

        // Who stops a terminal waits for its end, which comes behind what it has printed.
        if (terminal.IsStopping)
            return most;
        var wait = _bucket?.Wait ?? TimeSpan.Zero;
        var piece = _bucket?.Piece ?? int.MaxValue;
        var least = LeastWait(terminal.Targets(gateway.Sessions).Clients, ref piece);
        wait = wait > least ? wait : least;
        if (wait > TimeSpan.Zero)
        {
            TrafficMetrics.Throttled("terminal");
            _ = LaterAsync(Task.Delay(wait, time), later);
            return 0;
        }

        var allowed = Math.Min(most, piece);
        _bucket?.Take(allowed);
        return allowed;
    }

    private TimeSpan LeastWait(IReadOnlyList<string> clients, ref int piece)
    {
        if (!gateway.Bandwidth.IsLimited || clients.Count == 0)
            return TimeSpan.Zero;
        var least = TimeSpan.MaxValue;
        foreach (var client in clients)
        {
            if (gateway.Bandwidth.Of(client) is not { } limit)
                return TimeSpan.Zero;
            var wait = limit.Bucket.Wait;
            least = wait < least ? wait : least;
            piece = Math.Min(piece, limit.Bucket.Piece);
        }

        if (least > TimeSpan.Zero)
            Tell(clients);
        return least;
    }

    private void Tell(IReadOnlyList<string> clients)
    {
        foreach (var client in clients)
        {
            if (gateway.Bandwidth.Of(client) is { } limit && limit.ShouldTell())
                gateway.TellLimited(client, limit.Bucket, terminal, skipped: false);
        }
    }

    private static async Task LaterAsync(Task wait, Action later)
    {
        await wait.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        later();
    }
}
