namespace FurtherLink.Peers;

/// <summary>
/// Ends a connection whose client does not say in time who it is, or whose grant counts no more. Thread safe; disposing ends the watch.
/// </summary>
internal sealed class ConnectionGuard : IDisposable
{
    private readonly Lock _lock = new();
    private readonly LinkConnection _connection;
    private readonly Action<string> _end;
    private readonly ITimer _timer;
    private CancellationTokenRegistration _ended;
    private bool _disposed;

    /// <summary>Begins to watch.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="patience">How long it may take to say who is there.</param>
    /// <param name="time">The clock.</param>
    /// <param name="end">Ends it, told why. Any thread, perhaps more than once.</param>
    public ConnectionGuard(LinkConnection connection, TimeSpan patience, TimeProvider time, Action<string> end)
    {
        _connection = connection;
        _end = end;
        _timer = time.CreateTimer(static state => ((ConnectionGuard)state!).OnTime(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        connection.Became = Look;
        if (connection.Principal is null)
            _timer.Change(patience, Timeout.InfiniteTimeSpan);
        Look();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CancellationTokenRegistration ended;
        lock (_lock)
        {
            _disposed = true;
            _connection.Became = null;
            ended = _ended;
            _ended = default;
        }

        _timer.Dispose();
        // Without waiting for it: it may be what disposes this.
        ended.Unregister();
    }

    private void Look()
    {
        CancellationTokenRegistration before;
        var grant = _connection.Grant;
        // Runs at once where it counts no more already, so not under the lock.
        var now = grant.Ended.UnsafeRegister(static state => ((ConnectionGuard)state!).OnEnded(), this);
        lock (_lock)
        {
            (before, _ended) = _disposed ? (now, _ended) : (_ended, now);
        }

        before.Unregister();
    }

    private void OnTime()
    {
        if (_connection.Principal is null)
            _end("its client has not said in time who it is");
    }

    private void OnEnded()
    {
        // What has been replaced meanwhile does not matter any more.
        if (_connection.Grant is { Ended.IsCancellationRequested: true })
            _end("what its client has shown counts no more");
    }
}
