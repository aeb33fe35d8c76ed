using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using FurtherLink.Processes;
using FurtherLink.Security;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>From where a request comes, and for one from this device: whose program sent it.</summary>
internal static class LocalEnd
{
    // Once for each connection: its end does not change hands.
    private static readonly ConditionalWeakTable<Socket, StrongBox<uint?>> Owners = [];

    private static readonly string[] Forwarding = ["Forwarded", "Via", "X-Real-IP"];
    private static readonly string[] ForwardingBegins = ["X-Forwarded-", "X-Original-"];

    /// <summary>From where a request comes, by what the application around takes for it.</summary>
    public static Caller CallerOf(HttpContext context)
    {
        var address = Plain(context.Connection.RemoteIpAddress);
        return new Caller(address?.ToString() ?? "unknown", IsLocal(context));
    }

    /// <summary>The socket of a request's connection; null where there is none.</summary>
    public static Socket? SocketOf(HttpContext context) => context.Features.Get<IConnectionSocketFeature>()?.Socket;

    /// <summary>The user that owns the other end of a request's connection; null where that is not on this device, or cannot be found out.</summary>
    public static uint? OwnerOf(HttpContext context) => OwnerOf(SocketOf(context));

    /// <summary>The user that owns the other end of a connection that comes from an address; null where that is no loopback address, or it cannot be found out.</summary>
    /// <param name="address">The address, perhaps what the application around takes for it.</param>
    /// <param name="socket">The socket.</param>
    public static uint? OwnerOf(IPAddress? address, Socket? socket) => address is not null && IPAddress.IsLoopback(Plain(address)!) ? OwnerOf(socket) : null;

    /// <summary>
    /// Whether the connection begins and ends within this device, and nothing says that it carries somebody else's request: a proxy on this device is no
    /// program that anybody here has started to come in.
    /// </summary>
    private static bool IsLocal(HttpContext context) =>
        SocketOf(context) is { } socket && Ends(socket) is var (theirs, ours) && IPAddress.IsLoopback(theirs.Address) && IPAddress.IsLoopback(ours.Address)
            && Plain(context.Connection.RemoteIpAddress) is { } seen && IPAddress.IsLoopback(seen)
            && !context.Request.Headers.Any(static header => IsForwarding(header.Key));

    private static bool IsForwarding(string header) =>
        Forwarding.Contains(header, StringComparer.OrdinalIgnoreCase)
            || Array.Exists(ForwardingBegins, begin => header.StartsWith(begin, StringComparison.OrdinalIgnoreCase));

    private static uint? OwnerOf(Socket? socket)
    {
        if (!OperatingSystem.IsLinux() || socket is null)
            return null;
        return Owners.GetValue(socket, static socket => new StrongBox<uint?>(
            OperatingSystem.IsLinux() && Ends(socket) is var (theirs, ours) ? SocketOwner.Find(theirs, ours) : null)).Value;
    }

    private static (IPEndPoint Theirs, IPEndPoint Ours)? Ends(Socket socket)
    {
        try
        {
            return socket is { RemoteEndPoint: IPEndPoint theirs, LocalEndPoint: IPEndPoint ours }
                ? (new IPEndPoint(Plain(theirs.Address)!, theirs.Port), new IPEndPoint(Plain(ours.Address)!, ours.Port))
                : null;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has gone already.
            return null;
        }
    }

    private static IPAddress? Plain(IPAddress? address) => address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
}
