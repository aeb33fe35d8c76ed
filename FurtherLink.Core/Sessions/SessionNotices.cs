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
public readonly record struct SessionNotice(string Topic, object? Body, Delivery Delivery, long Offset);

/// <summary>What happens in a session beside its output, told to everybody who follows. Thread safe.</summary>
/// <param name="output">The session's log, for the order.</param>
public sealed class SessionNotices(OutputLog output)
{
    private readonly Lock _lock = new();
    private Action<SessionNotice>[] _followers = [];

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
            var notice = new SessionNotice(topic, body, delivery, output.End);
            foreach (var follower in _followers)
                follower(notice);
        }
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
