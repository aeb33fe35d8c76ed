using System.Diagnostics.CodeAnalysis;

namespace FurtherLink.Security;

/// <summary>
/// What the entries of a file allow, by a key of each. What changes in the file counts at once for who comes, and within two seconds for who is there.
/// Thread safe.
/// </summary>
/// <typeparam name="T">An entry.</typeparam>
internal sealed class FollowedGrants<T> : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private FileStamp? _stamp;
    private bool _watches;

    /// <summary>Begins.</summary>
    /// <param name="time">The clock.</param>
    public FollowedGrants(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(static state => ((FollowedGrants<T>)state!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What is different where the file has been changed; null = it is not there.</summary>
    public required Func<FileStamp?> Stamp { get; init; }

    /// <summary>Reads the entries, each by its key; none of what cannot be trusted.</summary>
    public required Func<IReadOnlyDictionary<string, T>> Read { get; init; }

    /// <summary>Makes a grant of an entry, which ends by the given token.</summary>
    public required Func<string, T, CancellationToken, Grant> Make { get; init; }

    /// <summary>Whether what an entry was made a grant of still holds by what it has become.</summary>
    public required Func<T, T, bool> IsSame { get; init; }

    /// <summary>When an entry ends by itself; null = it does not.</summary>
    public Func<T, DateTimeOffset?> Ends { get; init; } = static _ => null;

    /// <summary>Takes over what has changed in the file, ends what it was or what has expired, and does so from now on.</summary>
    public void Look()
    {
        List<Known> ended = [];
        lock (_lock)
        {
            if (Stamp() is var stamp && stamp != _stamp)
            {
                _stamp = stamp;
                Take(Read(), ended);
            }

            var now = _time.GetUtcNow();
            ended.AddRange(_known.Values.Where(known => Ends(known.Entry) <= now));
            if (!_watches)
                _timer.Change(Interval, Interval);
            _watches = true;
        }

        // Not under the lock: connections end by it.
        foreach (var known in ended)
            known.End();
    }

    /// <summary>What an entry allows that has not expired; null = there is none.</summary>
    public Known? Find(string key)
    {
        lock (_lock)
            return _known.TryGetValue(key, out var known) && !(Ends(known.Entry) <= _time.GetUtcNow()) ? known : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Take(IReadOnlyDictionary<string, T> entries, List<Known> ended)
    {
        foreach (var (key, known) in _known.Where(pair => !entries.TryGetValue(pair.Key, out var entry) || !IsSame(entry, pair.Value.Entry)).ToList())
        {
            _known.Remove(key);
            ended.Add(known);
        }

        foreach (var (key, entry) in entries.Where(pair => !_known.ContainsKey(pair.Key)))
            _known.Add(key, new Known(this, key, entry));
    }

    /// <summary>An entry, and what it allows.</summary>
    [SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source without a timer holds nothing, and connections may still look at it.")]
    internal sealed class Known
    {
        private readonly CancellationTokenSource _ended = new();

        public Known(FollowedGrants<T> all, string key, T entry)
        {
            Entry = entry;
            Grant = all.Make(key, entry, _ended.Token);
        }

        /// <summary>The entry.</summary>
        public T Entry { get; }

        /// <summary>What it allows.</summary>
        public Grant Grant { get; }

        /// <summary>It counts no more.</summary>
        public void End() => _ended.Cancel();
    }
}
