using System.Net.WebSockets;
using System.Security.Claims;
using FurtherLink.Security;
using FurtherLink.Transports.WebSockets.Admission;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets;

/// <summary>A request for a WebSocket that may be accepted: its origin and its user have been looked at.</summary>
public sealed class WebSocketVisit
{
    private readonly WebSocketLinkOptions _options;

    internal WebSocketVisit(HttpContext context, Pass pass, WebSocketLinkOptions options, CancellationToken stopping)
    {
        _options = options;
        Request = context.Request;
        Principal = pass.Principal;
        Caller = pass.Caller;
        Ticket = pass.Ticket;
        Stopping = stopping;
    }

    /// <summary>The request.</summary>
    public HttpRequest Request { get; }

    /// <summary>Who sent it; null = nobody known yet, which only /run and /run-py let in (<see cref="LinkConnection.Principal"/>).</summary>
    public ClaimsPrincipal? Principal { get; }

    /// <summary>From where.</summary>
    public Caller Caller { get; }

    /// <summary>By what it is counted.</summary>
    internal AddressTicket Ticket { get; }

    /// <summary>Cancelled when the host stops: clients are told.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Accepts it.</summary>
    /// <returns>The socket; the caller disposes it.</returns>
    public Task<WebSocket> AcceptAsync() => Request.HttpContext.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
    {
        SubProtocol = RequestCredentials.OffersProtocol(Request) ? RequestCredentials.Protocol : null,
        // KeptStream pings: here each connection would have a timer of its own.
        KeepAliveInterval = TimeSpan.Zero,
        DangerousEnableCompression = _options.Compression,
    });
}
