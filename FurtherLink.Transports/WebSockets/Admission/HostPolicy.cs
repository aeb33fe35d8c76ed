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

    /// <summary>Whether it is this device by a name or an address that leads nowhere else.</summary>
    public static bool IsLoopback(HostString host)
    {
        var name = Normal(host.Host);
        return IsLoopbackName(name) || (AddressOf(name) is { } address && IPAddress.IsLoopback(address));
    }

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
