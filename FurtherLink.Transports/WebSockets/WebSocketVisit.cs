using System.Net.WebSockets;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets;

/// <summary>A request for a WebSocket that may be accepted: its origin and its user have been looked at.</summary>
public sealed class WebSocketVisit
{
    private readonly WebSocketLinkOptions _options;

    internal WebSocketVisit(HttpContext context, WebSocketLinkOptions options, CancellationToken stopping)
    {
        _options = options;
        Request = context.Request;
        Principal = Visitor.Of(context, options);
        Stopping = stopping;
    }

    /// <summary>The request.</summary>
    public HttpRequest Request { get; }

    /// <summary>Who sent it, and what they may do.</summary>
    public ClaimsPrincipal Principal { get; }

    /// <summary>Cancelled when the host stops: clients are told.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Accepts it.</summary>
    /// <returns>The socket; the caller disposes it.</returns>
    public Task<WebSocket> AcceptAsync() => Request.HttpContext.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
    {
        KeepAliveInterval = _options.KeepAliveInterval,
        KeepAliveTimeout = _options.KeepAliveTimeout,
        DangerousEnableCompression = _options.Compression,
    });
}
