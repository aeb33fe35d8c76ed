using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets.KeepAlive;

/// <summary>
/// Asks silent clients for a sign of life, and cuts those that give none: all connections by one timer, so that idle ones
/// do not wake the processor each for itself. Thread safe.
/// </summary>
/// <param name="options">The times.</param>
/// <param name="time">The clock.</param>
internal sealed class KeepAlivePatrol(IOptions<WebSocketLinkOptions> options, TimeProvider time) : IDisposable
{
    // Who is due is seen up to a round later.
    private const int RoundsPerTime = 4;
    private static readonly TimeSpan ShortestRound = TimeSpan.FromMilliseconds(10);

    private readonly Lock _lock = new();
    private readonly HashSet<KeptStream> _streams = [];
    private readonly List<KeptStream> _round = [];
    private ITimer? _timer;

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>How often it looks.</summary>
    internal TimeSpan Round
    {
        get
        {
            var shorter = options.Value.KeepAliveInterval < options.Value.KeepAliveTimeout ? options.Value.KeepAliveInterval : options.Value.KeepAliveTimeout;
            return shorter / RoundsPerTime > ShortestRound ? shorter / RoundsPerTime : ShortestRound;
        }
    }

    /// <summary>Begins to watch a connection.</summary>
    public void Add(KeptStream stream)
    {
        lock (_lock)
        {
            _streams.Add(stream);
            _timer ??= time.CreateTimer(static state => ((KeepAlivePatrol)state!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (_streams.Count == 1)
                _timer.Change(Round, Round);
        }
    }

    /// <summary>Watches it no more.</summary>
    public void Remove(KeptStream stream)
    {
        lock (_lock)
        {
            if (_streams.Remove(stream) && _streams.Count == 0)
                _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
            _timer?.Dispose();
    }

    private void Look()
    {
        // A round that takes longer than the pause after it is not made twice at once.
        if (!Monitor.TryEnter(_round))
            return;
        try
        {
            lock (_lock)
                _round.AddRange(_streams);
            var now = time.GetTimestamp();
            foreach (var stream in _round)
                stream.Look(now, options.Value.KeepAliveInterval, options.Value.KeepAliveTimeout);
        }
        finally
        {
            _round.Clear();
            Monitor.Exit(_round);
        }
    }
}
