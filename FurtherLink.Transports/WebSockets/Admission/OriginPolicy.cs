using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>Which web pages may use the server: its own and those of configured origins (RFC 6454). Immutable.</summary>
/// <param name="options">
/// Its <see cref="WebSocketLinkOptions.AllowedOrigins"/>, <see cref="WebSocketLinkOptions.TrustedOrigins"/> and <see cref="WebSocketLinkOptions.LegacyOpen"/>.
/// </param>
internal sealed class OriginPolicy(IOptions<WebSocketLinkOptions> options)
{
    private readonly bool _any = options.Value.LegacyOpen;
    private readonly FrozenSet<string> _allowed = Set(options.Value.AllowedOrigins);
    private readonly FrozenSet<string> _trusted = Set(options.Value.TrustedOrigins);

    /// <summary>Tells which page sent a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="origin">The Origin header; "" where there is none.</param>
    public PageOrigin Judge(HttpRequest request, out string origin)
    {
        var values = request.Headers.Origin;
        origin = values.ToString();
        if (_any)
            return PageOrigin.Trusted;
        return values.Count switch
        {
            0 => JudgeSite(request),
            1 => JudgeOrigin(request, Normal(origin)),
            _ => PageOrigin.Foreign,
        };
    }

    private PageOrigin JudgeOrigin(HttpRequest request, string origin)
    {
        if (origin.Equals("null", StringComparison.OrdinalIgnoreCase))
            return PageOrigin.Foreign;
        if (_trusted.Contains(origin))
            return PageOrigin.Trusted;
        return _allowed.Contains(origin) || string.Equals(origin, OwnOf(request), StringComparison.OrdinalIgnoreCase) ? PageOrigin.Allowed : PageOrigin.Foreign;
    }

    // Browsers leave Origin out of a plain GET within a site, and of one that wants no answer ("no-cors", an image, a frame), but say
    // this (W3C, Fetch Metadata). "none" is a person who has typed the address.
    private PageOrigin JudgeSite(HttpRequest request) => request.Headers["Sec-Fetch-Site"].ToString() switch
    {
        "" or "none" => PageOrigin.None,
        "same-origin" => JudgeOrigin(request, OwnOf(request)),
        _ => PageOrigin.Foreign,
    };

    private static string OwnOf(HttpRequest request) => Normal($"{request.Scheme}://{request.Host.Value}");

    private static FrozenSet<string> Set(IEnumerable<string> origins) =>
        origins.Select(static origin => Normal(origin.Trim().TrimEnd('/'))).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    // Browsers leave the scheme's own port out; a Host header or a setting may name it.
    private static string Normal(string origin)
    {
        if (origin.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
            return origin.EndsWith(":443", StringComparison.Ordinal) ? origin[..^4] : origin;
        return origin.EndsWith(":80", StringComparison.Ordinal) ? origin[..^3] : origin;
    }
}

/// <summary>Which page sent a request.</summary>
internal enum PageOrigin
{
    /// <summary>None: a program, or a person who has typed the address.</summary>
    None,

    /// <summary>The server's own, or one that is configured: it shows credentials.</summary>
    Allowed,

    /// <summary>One that is configured to be as good as a program.</summary>
    Trusted,

    /// <summary>Any other.</summary>
    Foreign,
}
