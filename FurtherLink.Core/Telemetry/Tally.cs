using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace FurtherLink.Telemetry;

/// <summary>How many there are now of each of a few names. Thread safe.</summary>
/// <param name="key">The attribute that holds the name.</param>
internal sealed class Tally(string key)
{
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>There are more, or fewer.</summary>
    /// <param name="name">One of a bounded number of names: it is kept.</param>
    /// <param name="change">By how many.</param>
    public void Add(string name, long change) => _counts.AddOrUpdate(name, static (_, change) => change, static (_, count, change) => count + change, change);

    /// <summary>All of them.</summary>
    public IEnumerable<Measurement<long>> Measure() => _counts.Select(one => new Measurement<long>(one.Value, new KeyValuePair<string, object?>(key, one.Key)));
}
