using System.Net;
using System.Net.Sockets;

namespace FurtherLink.Security;

/// <summary>From where somebody connects.</summary>
/// <param name="Address">What limits count and logs show: an IP address without its port, or "unix", "stdio".</param>
/// <param name="IsLocal">Whether it is a program on this device.</param>
public sealed record Caller(string Address, bool IsLocal)
{
    /// <summary>Somebody within this process, or whom the transport knows nothing of.</summary>
    public static Caller Here { get; } = new("here", IsLocal: true);

    /// <summary>
    /// What counts as one address: who has one of IPv6 has its whole network (RFC 6177), of which this gives the first. An address of IPv4 within IPv6 is
    /// that of IPv4.
    /// </summary>
    /// <param name="address">The address.</param>
    public static IPAddress NetworkOf(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily is not AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(address))
            return address;
        Span<byte> octets = stackalloc byte[16];
        address.TryWriteBytes(octets, out _);
        octets[8..].Clear();
        return new IPAddress(octets);
    }
}
