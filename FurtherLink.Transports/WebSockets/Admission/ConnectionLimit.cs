using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>Bounds how many connections one address, and all together, have open, also those that ask for nothing. Thread safe.</summary>
/// <param name="options">Its <see cref="WebSocketLinkOptions.MaxConnections"/> and <see cref="WebSocketLinkOptions.MaxTotalConnections"/>.</param>
internal sealed class ConnectionLimit(IOptions<WebSocketLinkOptions> options)
{
    // A few more than may have something under way: who asks for more can still be told.
    private const int Spare = 10;

    private readonly AddressLimit _limit = new(options, Spare);

    /// <summary>Serves a connection, or cuts it.</summary>
    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        using var ticket = _limit.TryEnter(address, LocalEnd.OwnerOf(address, connection.Features.Get<IConnectionSocketFeature>()?.Socket), out _);
        if (ticket is null)
            connection.Abort(new ConnectionAbortedException("there are too many connections"));
        else
            await next(connection).ConfigureAwait(false);
    }
}
