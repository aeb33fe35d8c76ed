namespace FurtherLink.Client;

/// <summary>
/// When to dial a server again. Waits double from a fraction of a second, jitter takes up to a half of each, and the length of a
/// connection decides when they begin anew. Not thread safe: one dialler has one.
/// </summary>
/// <param name="least">The first wait, before jitter.</param>
/// <param name="most">The longest wait.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Where jitter comes from.</param>
public sealed class Backoff(TimeSpan least, TimeSpan most, TimeProvider time, Random random)
{
    /// <summary>A connection that has lasted so long was a good one: the next wait is short again.</summary>
    public static readonly TimeSpan Lasting = TimeSpan.FromSeconds(10);

    /// <summary>How long after the loss of a connection waits stay below <see cref="SoonMost"/>: a server that restarts is back by then.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromMinutes(1);

    /// <summary>The longest wait within <see cref="Soon"/>.</summary>
    public static readonly TimeSpan SoonMost = TimeSpan.FromSeconds(5);

    /// <summary>The shortest wait after a rejection: nothing gets better by itself.</summary>
    public static readonly TimeSpan RejectedLeast = TimeSpan.FromSeconds(1);

    // 1 ms becomes 17 minutes, which is beyond any longest wait of sense; and no wait becomes more than a TimeSpan holds.
    private const int MostDoublings = 20;

    private int _attempts;
    private long? _established;
    private long _lost = time.GetTimestamp();

    /// <summary>Tells that the connection is good.</summary>
    public void Establish() => _established = time.GetTimestamp();

    /// <summary>How long to wait before the next attempt, after an attempt failed or its connection was lost.</summary>
    public TimeSpan Next()
    {
        if (_established is { } since)
        {
            _established = null;
            _lost = time.GetTimestamp();
            if (time.GetElapsedTime(since, _lost) >= Lasting)
                _attempts = 0;
        }

        var wait = least * Math.Pow(2, Math.Min(_attempts, MostDoublings));
        _attempts = Math.Min(_attempts + 1, MostDoublings);
        return Jitter(Min(wait, time.GetElapsedTime(_lost) < Soon ? Min(SoonMost, most) : most));
    }

    /// <summary>How long to wait before the next attempt, after the other side has said no.</summary>
    public TimeSpan NextAfterRejection()
    {
        var wait = Jitter(most);
        return wait > RejectedLeast ? wait : RejectedLeast;
    }

    // Downwards only, so that the longest wait is one with jitter; a half, so that the shortest still is one.
    private TimeSpan Jitter(TimeSpan wait) => wait * (1 - (random.NextDouble() / 2));

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
