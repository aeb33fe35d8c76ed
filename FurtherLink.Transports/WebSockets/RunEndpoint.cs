using System.Net.Sockets;
using FurtherLink.Messages;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Serves WebSockets of one dialect: accepts, reads the query, and hands frames to the server.</summary>
/// <param name="codec">The dialect's name.</param>
/// <param name="server">Serves the connections.</param>
/// <param name="options">Settings of the transport.</param>
/// <param name="core">Settings of the core.</param>
/// <param name="lifetime">When the host stops, clients are told.</param>
/// <param name="logger">The log.</param>
internal sealed partial class RunEndpoint(
    string codec, ILinkServer server, IOptions<WebSocketLinkOptions> options, IOptions<LinkOptions> core, IHostApplicationLifetime lifetime,
    ILogger<RunEndpoint> logger)
{
    // How long a goodbye may take: as long as the server gives its last messages.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // tcp(7), netinet/tcp.h: IPPROTO_TCP and TCP_NOTSENT_LOWAT. 16 KiB: the kernel otherwise takes megabytes for a client that does not read,
    // and everything said later waits behind them.
    private const int Tcp = 6;
    private const int NotSentLowWater = 25;
    private const int NotSentBytes = 16 * 1024;

    private static long _lastId;

    /// <summary>Serves a connection from its first request to its end.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await HttpAnswers.ErrorAsync(context, StatusCodes.Status400BadRequest, "this is the address of a WebSocket").ConfigureAwait(false);
            return;
        }
        LimitUnsent(context);
        // Before the client knows of it: connections are numbered in the order in which clients made them.
        var (transport, served) = LinkPipe.CreatePair(core.Value.MaxMessage);
        var connection = Describe(context, served);
        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            KeepAliveInterval = options.Value.KeepAliveInterval,
            KeepAliveTimeout = options.Value.KeepAliveTimeout,
            DangerousEnableCompression = options.Value.Compression,
        }).ConfigureAwait(false);

        Log.Opened(logger, connection.Id, context.Connection.RemoteIpAddress, context.Request.Path);
        var pump = new WebSocketPump(socket, transport, core.Value.MaxMessage, connection, logger);
        pump.Start();
        try
        {
            await server.ServeAsync(connection, lifetime.ApplicationStopping).ConfigureAwait(false);
        }
        finally
        {
            await served.Output.CompleteAsync().ConfigureAwait(false);
            await served.Input.CompleteAsync().ConfigureAwait(false);
            await pump.StopAsync(Patience).ConfigureAwait(false);
            Log.Closed(logger, connection.Id);
        }
    }

    private LinkConnection Describe(HttpContext context, System.IO.Pipelines.IDuplexPipe frames)
    {
        var query = context.Request.Query;
        var pty = query["pty"].FirstOrDefault();
        return new LinkConnection($"ws-{Interlocked.Increment(ref _lastId)}", codec, frames)
        {
            Principal = Visitor.Of(context, options.Value),
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

    private static void LimitUnsent(HttpContext context)
    {
        if (!OperatingSystem.IsLinux() || context.Features.Get<IConnectionSocketFeature>()?.Socket is not { ProtocolType: ProtocolType.Tcp } tcp)
            return;
        Span<byte> value = stackalloc byte[sizeof(int)];
        BitConverter.TryWriteBytes(value, NotSentBytes);
        tcp.SetRawSocketOption(Tcp, NotSentLowWater, value);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} from {Address} to {Path}")]
        public static partial void Opened(ILogger logger, string connectionId, System.Net.IPAddress? address, string path);

        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} is closed")]
        public static partial void Closed(ILogger logger, string connectionId);
    }
}
