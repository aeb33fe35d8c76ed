using FurtherLink.Framing;
using FurtherLink.Sessions;
using FurtherLink.Transports.WebSockets.Admission;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Answers requests for a WebSocket, of whatever dialect.</summary>
/// <param name="serve">Accepts one and serves it to its end.</param>
/// <param name="options">Settings of the transport.</param>
/// <param name="sessions">When the host stops, clients are told, behind the exits of their programs.</param>
internal sealed class SocketEndpoint(Func<WebSocketVisit, Task> serve, IOptions<WebSocketLinkOptions> options, SessionTable sessions)
{
    /// <summary>Serves a connection from its first request to its end.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
            return HttpAnswers.ErrorAsync(context, StatusCodes.Status400BadRequest, "this is the address of a WebSocket");
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
            UnsentBytes.Limit(socket);
        return serve(new WebSocketVisit(context, context.Features.GetRequiredFeature<Pass>(), options.Value, sessions.Stopped));
    }
}
