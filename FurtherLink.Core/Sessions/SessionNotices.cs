namespace FurtherLink.Sessions;

/// <summary>How a notice reaches a client that is slow.</summary>
public enum Delivery
{
    /// <summary>Every one, in order with the output.</summary>
    Every,

    /// <summary>The newest replaces what has not been sent.</summary>
    Latest,
}

/// <summary>Something that happened in a session beside its output.</summary>
/// <param name="Topic">What: "video", "keylisten".</param>
/// <param name="Body">A record of the topic's owner, or a string.</param>
/// <param name="Delivery">Every one, or the latest.</param>
/// <param name="Offset">The log's end when it happened: it is sent after the output below this offset.</param>
public readonly record struct SessionNotice(string Topic, object? Body, Delivery Delivery, long Offset)
{
    /// <summary>When it happened, in milliseconds since 1970-01-01 UTC.</summary>
    public long Time { get; init; }
}

/// <summary>
/// What happens in a session beside its output, told to everybody who follows; what recordings need is kept. Thread safe.
/// </summary>
/// <param name="output">The session's log, for the order.</param>
public sealed class SessionNotices(OutputLog output)
{
    /// <summary>The topic of the terminal's sizes; the body is a <see cref="Messages.TerminalSize"/>.</summary>
    internal const string ResizeTopic = "resize";

    /// <summary>The topic of what was typed, kept but told to nobody; the body is an array of bytes.</summary>
    internal const string TypedTopic = "typed";

    // 1 MiB: as much as the output has unless told otherwise. Beyond it the oldest are forgotten.
    private const int MaxKept = 1024 * 1024;
    private const int KeptCost = 64;

    private readonly Lock _lock = new();
    private readonly Queue<SessionNotice> _kept = new();
    private Action<SessionNotice>[] _followers = [];
    private int _keptCost;
    private long _keptNext;

    /// <summary>What is kept for recordings from a number on, oldest first.</summary>
    /// <param name="number">The first that is wanted; 0 = all that is kept.</param>
    /// <param name="next">The number that the next one will have.</param>
    internal IReadOnlyList<SessionNotice> KeptFrom(long number, out long next)
    {
        lock (_lock)
        {
            next = _keptNext;
            return [.. _kept.Skip((int)Math.Clamp(number - (_keptNext - _kept.Count), 0, _kept.Count))];
        }
    }

    /// <summary>Calls back for each notice from now on, one at a time; the callback must not wait.</summary>
    /// <returns>Disposing ends it; a call that is under way may still arrive.</returns>
    public IDisposable Follow(Action<SessionNotice> onNotice)
    {
        ArgumentNullException.ThrowIfNull(onNotice);
        lock (_lock)
            _followers = [.. _followers, onNotice];
        return new Subscription(this, onNotice);
    }

    /// <summary>Tells everybody who follows.</summary>
    public void Publish(string topic, object? body, Delivery delivery)
    {
        lock (_lock)
        {
            var notice = At(topic, body, delivery);
            if (topic == ResizeTopic)
                KeepLocked(notice);
            foreach (var follower in _followers)
                follower(notice);
        }
    }

    /// <summary>Keeps what was typed, and tells nobody.</summary>
    internal void KeepTyped(byte[] input)
    {
        lock (_lock)
            KeepLocked(At(TypedTopic, input, Delivery.Every));
    }

    /// <summary>Keeps the size that the terminal begins with.</summary>
    internal void KeepSize(Messages.TerminalSize size)
    {
        lock (_lock)
            KeepLocked(At(ResizeTopic, size, Delivery.Every));
    }

    /// <summary>Keeps what another process has kept of this session.</summary>
    internal void Keep(IEnumerable<SessionNotice> notices)
    {
        lock (_lock)
        {
            foreach (var notice in notices)
                KeepLocked(notice);
        }
    }

    private static int CostOf(in SessionNotice notice) => KeptCost + ((notice.Body as byte[])?.Length ?? 0);

    private SessionNotice At(string topic, object? body, Delivery delivery) =>
        new(topic, body, delivery, output.End) { Time = output.Options.Time.GetUtcNow().ToUnixTimeMilliseconds() };

    private void KeepLocked(in SessionNotice notice)
    {
        _kept.Enqueue(notice);
        _keptNext++;
        _keptCost += CostOf(notice);
        while (_keptCost > MaxKept)
            _keptCost -= CostOf(_kept.Dequeue());
    }

    private sealed class Subscription(SessionNotices owner, Action<SessionNotice> onNotice) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._lock)
                owner._followers = [.. owner._followers.Where(f => f != onNotice)];
        }
    }
}
