using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Which web pages may use the server: its own and those of configured origins (RFC 6454). Immutable.</summary>
/// <param name="options">Its <see cref="WebSocketLinkOptions.TrustedOrigins"/>.</param>
internal sealed class OriginPolicy(IOptions<WebSocketLinkOptions> options)
{
    private readonly FrozenSet<string> _trusted =
        options.Value.TrustedOrigins.Select(o => Normal(o.Trim().TrimEnd('/'))).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a page of the request's origin may use the server.</summary>
    /// <param name="request">The request; one without Origin comes from no page of another site.</param>
    /// <param name="origin">The Origin header; "" where there is none.</param>
    public bool Allows(HttpRequest request, out string origin)
    {
        var values = request.Headers.Origin;
        origin = values.ToString();
        if (values.Count == 0)
            return true;
        var normal = Normal(origin);
        return normal != "null" && (_trusted.Contains(normal) || string.Equals(normal, OwnOf(request), StringComparison.OrdinalIgnoreCase));
    }

    private static string OwnOf(HttpRequest request) => Normal($"{request.Scheme}://{request.Host.Value}");

    // Browsers leave the scheme's own port out; a Host header or a setting may name it.
    private static string Normal(string origin)
    {
        if (origin.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
            return origin.EndsWith(":443", StringComparison.Ordinal) ? origin[..^4] : origin;
        return origin.EndsWith(":80", StringComparison.Ordinal) ? origin[..^3] : origin;
    }
}
