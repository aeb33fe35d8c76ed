using FurtherLink.Framing;
using FurtherLink.Messages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Serves WebSockets of one dialect of Further-Link's: accepts, reads the query, and hands frames to the server.</summary>
/// <param name="codec">The dialect's name.</param>
/// <param name="server">Serves the connections.</param>
/// <param name="core">Settings of the core.</param>
/// <param name="logger">The log.</param>
internal sealed partial class RunEndpoint(string codec, ILinkServer server, IOptions<LinkOptions> core, ILogger<RunEndpoint> logger)
{
    private static long _lastId;

    /// <summary>Serves a connection from its first request to its end.</summary>
    public async Task ServeAsync(WebSocketVisit visit)
    {
        // Before the client knows of it: connections are numbered in the order in which clients made them.
        var (transport, served) = LinkPipe.CreatePair(core.Value.MaxMessage);
        var connection = Describe(visit, served);
        if (connection.Principal is null)
            visit.Ticket.IsUnknown = () => connection.Principal is null;
        using var socket = await visit.AcceptAsync().ConfigureAwait(false);
        Log.Opened(logger, connection.Id, visit.Request.HttpContext.Connection.RemoteIpAddress, visit.Request.Path);
        try
        {
            await WebSocketPump.ServeAsync(server, connection, socket, transport, core.Value.MaxMessage, logger, visit.Stopping).ConfigureAwait(false);
        }
        finally
        {
            Log.Closed(logger, connection.Id);
        }
    }

    private LinkConnection Describe(WebSocketVisit visit, System.IO.Pipelines.IDuplexPipe frames)
    {
        var query = visit.Request.Query;
        var pty = query["pty"].FirstOrDefault();
        return new LinkConnection($"ws-{Interlocked.Increment(ref _lastId)}", codec, frames)
        {
            Principal = visit.Principal,
            Caller = visit.Caller,
            Lossless = query["delivery"].FirstOrDefault() != "latest",
            Label = query["client"].FirstOrDefault() ?? "",
            Extensions = query["extensions"].SelectMany(names => (names ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                .ToHashSet(StringComparer.Ordinal),
            Defaults = new RunDefaults
            {
                // An empty name is a user that does not exist; none at all is the default user.
                User = query.TryGetValue("user", out var users) ? users[0] ?? "" : null,
                Terminal = pty is "1" || string.Equals(pty, "true", StringComparison.OrdinalIgnoreCase) ? TerminalSize.Default : null,
            },
        };
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} from {Address} to {Path}")]
        public static partial void Opened(ILogger logger, string connectionId, System.Net.IPAddress? address, string path);

        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} is closed")]
        public static partial void Closed(ILogger logger, string connectionId);
    }
}
