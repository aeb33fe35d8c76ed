using FurtherLink.Transports.WebSockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>Serves gateways and tools that dial in: the handshake first, and then as the device serves those it dials.</summary>
/// <param name="identity">The device's key.</param>
/// <param name="server">Serves what is connected.</param>
/// <param name="options">The settings.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed partial class GatewayEndpoint(
    DeviceIdentity identity, GatewayServer server, IOptions<PortacodeOptions> options, TimeProvider time, ILogger<GatewayEndpoint> logger)
{
    /// <summary>Serves a connection from its first request to its end.</summary>
    public async Task ServeAsync(WebSocketVisit visit)
    {
        using var socket = await visit.AcceptAsync().ConfigureAwait(false);
        try
        {
            var result = await new DeviceHandshake(identity, options.Value.HandshakeTimeout, time).RunAsync(socket, visit.Stopping).ConfigureAwait(false);
            if (result is HandshakeResult.Accepted)
            {
                await server.ServeAsync(socket, new Gateway(options.Value, time), visit.Principal!, visit.Caller, visit.Stopping).ConfigureAwait(false);
                return;
            }

            Log.Ended(logger, visit.Request.HttpContext.Connection.RemoteIpAddress, result switch
            {
                HandshakeResult.Rejected rejected => $"it does not take this device's key: {rejected.Reason}",
                HandshakeResult.Failed failed => failed.Why,
                _ => "",
            });
        }
        catch (OperationCanceledException) when (visit.Stopping.IsCancellationRequested)
        {
            // It had no connection yet that could be told.
        }

        socket.Abort();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The gateway that dialled in from {Address} is not served: {Why}")]
        public static partial void Ended(ILogger logger, System.Net.IPAddress? address, string why);
    }
}
