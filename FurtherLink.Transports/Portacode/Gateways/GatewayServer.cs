using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Security.Claims;
using FurtherLink.Framing;
using FurtherLink.Security;
using FurtherLink.Transports.Portacode.Codec;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>Serves gateways after the handshake, whoever dialled. Thread safe.</summary>
/// <param name="server">Serves the connections.</param>
/// <param name="options">The settings.</param>
/// <param name="logger">The log.</param>
internal sealed class GatewayServer(ILinkServer server, IOptions<PortacodeOptions> options, ILogger<GatewayServer> logger)
{
    // The longest piece of output in one frame: small enough for other channels to come between.
    private const int MaxChunk = 32 * 1024;

    private static long _lastId;

    /// <summary>Serves a connection to its end.</summary>
    /// <param name="socket">The socket, after the handshake.</param>
    /// <param name="gateway">What is known of the gateway from earlier connections.</param>
    /// <param name="principal">What it may do.</param>
    /// <param name="caller">From where it comes.</param>
    /// <param name="cancellationToken">Ends it; the gateway is told where there is still time.</param>
    public async Task ServeAsync(WebSocket socket, Gateway gateway, ClaimsPrincipal principal, Caller caller, CancellationToken cancellationToken)
    {
        var maxMessage = options.Value.MaxMessage;
        var (transport, served) = LinkPipe.CreatePair(maxMessage);
        var connection = Describe(served, gateway, principal, caller);
        await WebSocketPump.ServeAsync(server, connection, socket, transport, maxMessage, logger, cancellationToken).ConfigureAwait(false);
    }

    private LinkConnection Describe(IDuplexPipe frames, Gateway gateway, ClaimsPrincipal principal, Caller caller) =>
        new($"portacode-{Interlocked.Increment(ref _lastId)}", PortacodeCodec.Name, frames)
        {
            Principal = principal,
            Caller = caller,
            Tag = gateway,
            Opening = Gateway.Opening,
            MaxMessage = options.Value.MaxMessage,
            MaxChunk = MaxChunk,
            LongShare = options.Value.FileShare,
        };
}
