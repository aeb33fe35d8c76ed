using System.Net;
using FurtherLink.Host.Certificates;
using FurtherLink.Transports.WebSockets;

namespace FurtherLink.Host.Serving;

/// <summary>What a person reads when the host has started: where it listens, how to trust it, what to type next.</summary>
internal static class StartMessage
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter output, string version, ListenSockets sockets, ServerCertificate? certificate, string? socket, WebSocketLinkOptions endpoints)
    {
        var (http, ws) = certificate is null ? ("http", "ws") : ("https", "wss");
        output.WriteLine($"FurtherLink {version} listens on");
        foreach (var end in sockets.EndPoints)
            output.WriteLine($"  {http}://{Authority(end.Address, sockets.Port)}");
        if (socket is not null)
            output.WriteLine($"  unix:{socket}");
        if (certificate is not null)
        {
            output.WriteLine($"Certificate {certificate.Path}");
            output.WriteLine($"  SHA-256 {certificate.Fingerprint}");
        }

        WriteAdmission(output, endpoints);
        var host = Authority(Reachable(sockets), sockets.Port);
        output.WriteLine("Try it from another terminal:");
        output.WriteLine($"  curl {(certificate is null ? "" : "-k ")}{http}://{host}/status");
        output.WriteLine($"  npx wscat {(certificate is null ? "" : "-n ")}-c {ws}://{host}/run");
        output.WriteLine("and type, to run a line of Python:");
        output.WriteLine("""  {"type":"start","process":"1","data":{"runner":"python3","code":"print('Hello')"}}""");
        output.WriteLine("Ctrl-C stops it.");
        output.Flush();
    }

    private static void WriteAdmission(TextWriter output, WebSocketLinkOptions endpoints)
    {
        if (endpoints.LegacyOpen)
        {
            output.WriteLine(StartCheck.Open);
            return;
        }

        output.WriteLine(endpoints.LoopbackAccess
            ? "Programs on this device connect without a token, as the user whose they are; web pages and others show one."
            : "Whoever connects shows a token.");
        WriteOrigins(output, "Web pages that connect as such programs do", endpoints.LoopbackAccess ? endpoints.TrustedOrigins : []);
        WriteOrigins(output, "Web pages that connect with a token", endpoints.LoopbackAccess ? endpoints.AllowedOrigins : [.. endpoints.AllowedOrigins, .. endpoints.TrustedOrigins]);
    }

    private static void WriteOrigins(TextWriter output, string who, IEnumerable<string> origins)
    {
        if (string.Join(", ", origins) is { Length: > 0 } list)
            output.WriteLine($"{who}: {list}");
    }

    private static string Authority(IPAddress address, int port) => address.Equals(IPAddress.Loopback)
        ? $"127.0.0.1:{port}"
        : new IPEndPoint(address, port).ToString();

    private static IPAddress Reachable(ListenSockets sockets)
    {
        var address = sockets.EndPoints.First().Address;
        return address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? IPAddress.Loopback : address;
    }
}
