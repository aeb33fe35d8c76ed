using System.Globalization;
using System.Net;
using FurtherLink.Messages;

namespace FurtherLink.Security;

/// <summary>Counts, by address, who shows what counts for nothing, and refuses those who do so too often. Thread safe; bounded.</summary>
/// <param name="perMinute">How many tries a minute may fail, and at once.</param>
/// <param name="time">The clock.</param>
internal sealed class LoginLimiter(int perMinute, TimeProvider time)
{
    private const int MostAddresses = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, PerMinute> _byAddress = new(StringComparer.Ordinal);

    /// <summary>Refuses where too many tries have failed.</summary>
    /// <exception cref="LinkException"><see cref="FailureCode.Limited"/>, with how long to wait.</exception>
    public void Demand(Caller caller)
    {
        if (WaitOf(caller) is var wait && wait > TimeSpan.Zero)
            throw new LinkException(FailureCode.Limited, string.Create(CultureInfo.InvariantCulture, $"too many tries have failed: wait {PerMinute.Seconds(wait)} s")) { RetryAfter = wait };
    }

    /// <summary>How long somebody has to wait until one more try may fail; nothing where it may now.</summary>
    public TimeSpan WaitOf(Caller caller)
    {
        lock (_lock)
            return Now(SourceOf(caller)).Wait(perMinute);
    }

    /// <summary>Counts a try that has failed, and refuses where there were too many.</summary>
    /// <exception cref="LinkException"><see cref="FailureCode.Limited"/>, with how long to wait.</exception>
    public void Fail(Caller caller)
    {
        lock (_lock)
        {
            Demand(caller);
            var source = SourceOf(caller);
            if (_byAddress.Count >= MostAddresses && !_byAddress.ContainsKey(source))
                DropOne();
            var now = Now(source);
            _byAddress[source] = now with { Left = now.Left - 1 };
        }
    }

    /// <summary>A try that was counted has not failed.</summary>
    public void Forgive(Caller caller)
    {
        lock (_lock)
        {
            var source = SourceOf(caller);
            var now = Now(source);
            if (_byAddress.ContainsKey(source))
                _byAddress[source] = now with { Left = Math.Min(perMinute, now.Left + 1) };
        }
    }

    private static string SourceOf(Caller caller) =>
        IPAddress.TryParse(caller.Address, out var address) ? Caller.NetworkOf(address).ToString() : caller.Address;

    private PerMinute Now(string source) => _byAddress.TryGetValue(source, out var tries) ? tries.Now(perMinute, time) : PerMinute.Full(perMinute, time);

    // The one whose last try is longest ago has the most tries left, or will first.
    private void DropOne() => _byAddress.Remove(_byAddress.MinBy(static pair => pair.Value.Since).Key);
}
