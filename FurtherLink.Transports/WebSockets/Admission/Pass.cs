using System.Security.Claims;
using FurtherLink.Security;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>What the gate has found out about a request that it let through; a feature of it.</summary>
/// <param name="Principal">Who sent it; null = nobody known.</param>
/// <param name="Caller">From where.</param>
/// <param name="Ticket">By what it is counted.</param>
internal sealed record Pass(ClaimsPrincipal? Principal, Caller Caller, AddressTicket Ticket)
{
    /// <summary>What they may do.</summary>
    public Grant Grant { get; } = Grant.Of(Principal);
}
