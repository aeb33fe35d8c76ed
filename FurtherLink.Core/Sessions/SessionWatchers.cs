namespace FurtherLink.Sessions;

/// <summary>Who wants to know of each session that is started. Thread safe.</summary>
internal sealed class SessionWatchers
{
    private readonly Lock _lock = new();
    private Action<ISession>[] _watchers = [];

    /// <summary>Tells all there are.</summary>
    public void Tell(ISession session)
    {
        foreach (var watcher in Volatile.Read(ref _watchers))
            watcher(session);
    }

    /// <summary>Adds one, until the result is disposed.</summary>
    public IDisposable Add(Action<ISession> watcher)
    {
        lock (_lock)
            _watchers = [.. _watchers, watcher];
        return new Watching(this, watcher);
    }

    private void Remove(Action<ISession> watcher)
    {
        lock (_lock)
            _watchers = [.. _watchers.Where(one => one != watcher)];
    }

    private sealed class Watching(SessionWatchers watchers, Action<ISession> watcher) : IDisposable
    {
        public void Dispose() => watchers.Remove(watcher);
    }
}
