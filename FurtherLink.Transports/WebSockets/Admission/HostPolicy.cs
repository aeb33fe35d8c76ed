using System.Collections.Frozen;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>
/// Which names this device goes by in the Host header. A page whose own name has been made to lead here (DNS rebinding) asks under that name, and gets
/// nothing. Immutable.
/// </summary>
/// <param name="options">Its <see cref="WebSocketLinkOptions.AllowedHosts"/> and <see cref="WebSocketLinkOptions.LegacyOpen"/>.</param>
internal sealed class HostPolicy(IOptions<WebSocketLinkOptions> options)
{
    private readonly bool _any = options.Value.LegacyOpen;
    private readonly FrozenSet<string> _allowed = options.Value.AllowedHosts.Select(static host => Normal(host.Trim())).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a request may ask for this host: a loopback name, an address, this machine's name, or a configured one.</summary>
    public bool Allows(HostString host)
    {
        if (_any)
            return true;
        var name = Normal(host.Host);
        return IsLoopbackName(name) || AddressOf(name) is not null || _allowed.Contains(name) || IsOwnName(name);
    }

    /// <summary>
    /// Whether a request asks for this device by a name or an address that leads nowhere else: a loopback one; or 0.0.0.0, where a page that asked
    /// so would have said which it is.
    /// </summary>
    public static bool IsLoopback(HttpRequest request)
    {
        var name = Normal(request.Host.Host);
        return IsLoopbackName(name)
            || (AddressOf(name) is { } address && (IPAddress.IsLoopback(address) || (address.Equals(IPAddress.Any) && IsOfAPageOnlyWithItsOrigin(request))));
    }

    // 0.0.0.0 is "this host" (RFC 1122 section 3.2.1.3): who connects to it comes to himself. But browsers do not say of a plain GET to it over HTTP
    // where it comes from (W3C, Fetch Metadata), as they do of one to a loopback address. Of a WebSocket, and of every other method, they always say
    // the Origin, and a page cannot set Upgrade by itself.
    private static bool IsOfAPageOnlyWithItsOrigin(HttpRequest request) =>
        request.IsHttps || !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            || string.Equals(request.Headers.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase);

    // RFC 6761 section 6.3.
    private static bool IsLoopbackName(string name) =>
        name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    // Nobody can make an address lead elsewhere.
    private static IPAddress? AddressOf(string name) =>
        IPAddress.TryParse(name is ['[', .. var inner, ']'] ? inner : name, out var address) ? address : null;

    // Asked each time: a machine may be renamed while this runs.
    private static bool IsOwnName(string name)
    {
        var own = Dns.GetHostName();
        var simple = own.Split('.')[0];
        return name.Length > 0
            && (name.Equals(own, StringComparison.OrdinalIgnoreCase) || name.Equals(simple, StringComparison.OrdinalIgnoreCase)
                || name.Equals(simple + ".local", StringComparison.OrdinalIgnoreCase));
    }

    // "localhost." is "localhost", said in full.
    private static string Normal(string host) => host.EndsWith('.') ? host[..^1] : host;
}
