using System.Security.Claims;
using FurtherLink.Security;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Who sent a request, and what they may do.</summary>
internal static class Visitor
{
    /// <summary>The request's user; one without a claim of FurtherLink's own gets the configured one.</summary>
    public static ClaimsPrincipal Of(HttpContext context, WebSocketLinkOptions options) =>
        context.User.HasClaim(claim => claim.Type == Rights.ClaimType)
            ? context.User
            : Rights.Grant(context.User.Identity?.Name ?? "anyone", options.DefaultAccess);
}
