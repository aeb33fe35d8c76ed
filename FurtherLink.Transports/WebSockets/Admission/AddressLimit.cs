using System.Net;
using FurtherLink.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>
/// Bounds how much is under way at once from one address; on this device, where all users have the same, from each user; and from all together. Thread safe.
/// </summary>
/// <param name="options">Its <see cref="WebSocketLinkOptions.MaxConnections"/> and <see cref="WebSocketLinkOptions.MaxTotalConnections"/>.</param>
/// <param name="spare">How many more there may be.</param>
internal sealed class AddressLimit(IOptions<WebSocketLinkOptions> options, int spare)
{
    private const int OnThisDevice = 2000;
    private const int Elsewhere = 100;

    // So many of a user of this device are let in however many there are of others: who is at it can do something about them.
    private const int Reserve = 20;

    // Of connections of whom nobody is known yet, a tenth may be there.
    private const int UnknownShare = 10;

    private readonly Lock _lock = new();
    private readonly Dictionary<Source, List<AddressTicket>> _tickets = [];
    private int _total;

    private static Refusal TooMany { get; } = new(
        StatusCodes.Status429TooManyRequests, "there are too many connections from your address already; the setting MaxConnections says how many there may be");

    private static Refusal Full { get; } = new(
        StatusCodes.Status503ServiceUnavailable, "there are too many connections from everywhere; the setting MaxTotalConnections says how many there may be");

    /// <summary>Lets one more in.</summary>
    /// <param name="remote">From where; null = not from a network.</param>
    /// <param name="user">Of an address of this device: whose program it is; null = not known.</param>
    /// <param name="refusal">Why not, where there are too many.</param>
    /// <returns>To be disposed when it has gone; null where there are too many.</returns>
    public AddressTicket? TryEnter(IPAddress? remote, uint? user, out Refusal? refusal)
    {
        var source = SourceOf(remote ?? IPAddress.None, user);
        lock (_lock)
        {
            var tickets = _tickets.GetValueOrDefault(source) ?? [];
            var isReserved = IPAddress.IsLoopback(source.Network) && tickets.Count < Reserve;
            refusal = tickets.Count >= MostOf(source) + spare ? TooMany : _total >= options.Value.MaxTotalConnections + spare && !isReserved ? Full : null;
            if (refusal is not null)
                return null;
            var ticket = new AddressTicket(this, source);
            tickets.Add(ticket);
            _tickets[source] = tickets;
            _total++;
            return ticket;
        }
    }

    /// <summary>Counts one of those that are in among those of whom nobody is known.</summary>
    /// <returns>False where there are too many.</returns>
    internal bool TryStayUnknown(AddressTicket ticket)
    {
        lock (_lock)
        {
            if (_tickets[ticket.Source].Count(static other => other.IsUnknown()) >= Math.Max(MostOf(ticket.Source) / UnknownShare, 1))
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
            if (!_tickets.TryGetValue(ticket.Source, out var tickets) || !tickets.Remove(ticket))
                return;
            _total--;
            if (tickets.Count == 0)
                _tickets.Remove(ticket.Source);
        }
    }

    private int MostOf(Source source) => options.Value.MaxConnections ?? (IPAddress.IsLoopback(source.Network) ? OnThisDevice : Elsewhere);

    private static Source SourceOf(IPAddress address, uint? user)
    {
        var network = Caller.NetworkOf(address);
        // A user of this device has all of 127.0.0.0/8.
        return IPAddress.IsLoopback(network) ? new Source(IPAddress.Loopback, user) : new Source(network, null);
    }

    /// <summary>What is counted as one.</summary>
    /// <param name="Network">The address, or the first of its neighbours.</param>
    /// <param name="User">Whose program it is, on this device.</param>
    internal readonly record struct Source(IPAddress Network, uint? User);
}
