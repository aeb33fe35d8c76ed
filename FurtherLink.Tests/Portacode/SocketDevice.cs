using System.Net.WebSockets;
using FurtherLink.Framing;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Portacode.Gateways;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Tests.Portacode;

/// <summary>One connection of a device to a gateway over a real WebSocket, from the dial to its end.</summary>
internal static class SocketDevice
{
    /// <summary>Dials, proves the device's key, and serves the gateway until the connection ends.</summary>
    public static async Task DialAsync(ILinkServer server, DeviceIdentity identity, Gateway gateway, Uri address)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(address, CancellationToken.None).WaitAsync(Patience.Long);
        var result = await new DeviceHandshake(identity, Patience.Long, TimeProvider.System).RunAsync(socket, CancellationToken.None);
        Assert.That(result, Is.InstanceOf<HandshakeResult.Accepted>());
        var (transport, frames) = LinkPipe.CreatePair();
        var connection = new LinkConnection("gateway", "portacode", frames)
        {
            Principal = Rights.Grant("gateway", Access.Own),
            Tag = gateway,
            Opening = Gateway.Opening,
            MaxChunk = 32 * 1024,
        };
        var pump = new WebSocketPump(socket, transport, 4 * 1024 * 1024, connection.Id, NullLogger.Instance) { Lost = connection.Lose };
        pump.Start();
        await server.ServeAsync(connection, CancellationToken.None);
        await frames.Output.CompleteAsync();
        await frames.Input.CompleteAsync();
        await pump.StopAsync(Patience.Long);
    }
}
