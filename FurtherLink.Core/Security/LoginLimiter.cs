using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FurtherLink.Messages;

namespace FurtherLink.Security;

/// <summary>Counts, by address, who shows what counts for nothing, and refuses those who do so too often. Thread safe; bounded.</summary>
/// <param name="perMinute">How many tries a minute may fail, and at once.</param>
/// <param name="time">The clock.</param>
internal sealed class LoginLimiter(int perMinute, TimeProvider time)
{
    private const int MostAddresses = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Tries> _byAddress = new(StringComparer.Ordinal);

    /// <summary>Refuses where too many tries have failed.</summary>
    /// <exception cref="LinkException"><see cref="FailureCode.Limited"/>, with how long to wait.</exception>
    public void Demand(Caller caller)
    {
        lock (_lock)
        {
            if (Left(SourceOf(caller)) is var left && left < 1)
            {
                var wait = Math.Max(1, (int)Math.Ceiling((1 - left) * 60 / perMinute));
                throw new LinkException(FailureCode.Limited, string.Create(CultureInfo.InvariantCulture, $"too many tries have failed: wait {wait} s"));
            }
        }
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
            _byAddress[source] = new Tries(Left(source) - 1, time.GetTimestamp());
        }
    }

    /// <summary>A try that was counted has not failed.</summary>
    public void Forgive(Caller caller)
    {
        lock (_lock)
        {
            var source = SourceOf(caller);
            if (_byAddress.ContainsKey(source))
                _byAddress[source] = new Tries(Math.Min(perMinute, Left(source) + 1), time.GetTimestamp());
        }
    }

    // Who has one address of IPv6 has its whole network (RFC 6177): the first 64 bits count.
    private static string SourceOf(Caller caller)
    {
        if (!IPAddress.TryParse(caller.Address, out var address) || address.AddressFamily is not AddressFamily.InterNetworkV6
            || address.IsIPv4MappedToIPv6 || IPAddress.IsLoopback(address))
        {
            return caller.Address;
        }

        var octets = address.GetAddressBytes();
        octets.AsSpan(8).Clear();
        return new IPAddress(octets).ToString();
    }

    private double Left(string address) =>
        _byAddress.TryGetValue(address, out var tries) ? Math.Min(perMinute, tries.Left + (time.GetElapsedTime(tries.Since).TotalMinutes * perMinute)) : perMinute;

    // The one whose last try is longest ago has the most tries left, or will first.
    private void DropOne() => _byAddress.Remove(_byAddress.MinBy(static pair => pair.Value.Since).Key);

    private readonly record struct Tries(double Left, long Since);
}
