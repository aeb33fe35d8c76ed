using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>Bounds how much is under way at once from one address. Thread safe.</summary>
/// <param name="options">Its <see cref="WebSocketLinkOptions.MaxConnections"/>.</param>
/// <param name="spare">How many more there may be.</param>
internal sealed class AddressLimit(IOptions<WebSocketLinkOptions> options, int spare)
{
    private const int OnThisDevice = 2000;
    private const int Elsewhere = 100;

    // Of connections of whom nobody is known yet, a tenth may be there.
    private const int UnknownShare = 10;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, List<AddressTicket>> _tickets = [];

    /// <summary>Lets one more in.</summary>
    /// <param name="remote">From where; null = not from a network.</param>
    /// <returns>To be disposed when it has gone; null where there are too many.</returns>
    public AddressTicket? TryEnter(IPAddress? remote)
    {
        var address = Neighbours(remote ?? IPAddress.None);
        lock (_lock)
        {
            var tickets = _tickets.GetValueOrDefault(address);
            if (tickets is null)
                _tickets.Add(address, tickets = []);
            if (tickets.Count >= MostOf(address) + spare)
                return null;
            var ticket = new AddressTicket(this, address);
            tickets.Add(ticket);
            return ticket;
        }
    }

    /// <summary>Counts one of those that are in among those of whom nobody is known.</summary>
    /// <returns>False where there are too many.</returns>
    internal bool TryStayUnknown(AddressTicket ticket)
    {
        lock (_lock)
        {
            if (_tickets[ticket.Address].Count(static other => other.IsUnknown()) >= Math.Max(MostOf(ticket.Address) / UnknownShare, 1))
                return false;
            ticket.IsUnknown = static () => true;
            return true;
        }
    }

    /// <summary>It has gone.</summary>
    internal void Leave(AddressTicket ticket)
    {
        lock (_lock)
        {
            if (_tickets.TryGetValue(ticket.Address, out var tickets) && tickets.Remove(ticket) && tickets.Count == 0)
                _tickets.Remove(ticket.Address);
        }
    }

    private int MostOf(IPAddress address) => options.Value.MaxConnections ?? (IPAddress.IsLoopback(address) ? OnThisDevice : Elsewhere);

    // Who has one address of IPv6 has its whole network (RFC 6177): the first 64 bits count.
    private static IPAddress Neighbours(IPAddress address)
    {
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
