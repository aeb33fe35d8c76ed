using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Claims;
using FurtherLink.Codecs;
using FurtherLink.Framing;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Security;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.Stdio;

/// <summary>
/// Serves a Unix domain socket, lines as over standard input and output, to whom authentication lets in by the user that the kernel tells of. Others are
/// told that they may not, where the file's mode has been opened to them.
/// </summary>
/// <param name="listen">Gives the socket when the host starts; it is this listener's from then on.</param>
/// <param name="server">Serves what connects.</param>
/// <param name="authenticator">Tells what users of this device may do.</param>
/// <param name="codecs">The dialects; used to say no in.</param>
/// <param name="link">The core's settings.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
[SupportedOSPlatform("linux")]
internal sealed partial class UnixSocketListener(
    Func<SocketFile> listen, ILinkServer server, IAuthenticator authenticator, IEnumerable<LinkCodec> codecs, IOptions<LinkOptions> link, TimeProvider time,
    ILogger<UnixSocketListener> logger)
    : BackgroundService
{
    private const string Dialect = "further";

    private static readonly Caller Caller = new("unix", IsLocal: true);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static long _lastId;

    private readonly Lock _lock = new();
    private readonly HashSet<Task> _serving = [];
    private SocketFile? _file;

    /// <inheritdoc/>
    /// <exception cref="IOException">The socket cannot be had.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _file = listen();
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _file?.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using (_file)
        {
            while (await AcceptAsync(_file!.Socket, stoppingToken).ConfigureAwait(false) is { } socket)
                Keep(ServeAsync(socket, stoppingToken));
        }

        Task[] serving;
        lock (_lock)
            serving = [.. _serving];
        await Task.WhenAll(serving).ConfigureAwait(false);
    }

    private async Task<Socket?> AcceptAsync(Socket listener, CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                return await listener.AcceptAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            catch (SocketException e)
            {
                // This process has as many files open as it may, for example: others may close some.
                Log.NotAccepted(logger, e.Message);
                await Task.Delay(Patience, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Keep(Task task)
    {
        lock (_lock)
        {
            _serving.RemoveWhere(static one => one.IsCompleted);
            _serving.Add(task);
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken stoppingToken)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"unix-{Interlocked.Increment(ref _lastId)}");
        try
        {
            using (socket)
                await ServeAsync(socket, id, stoppingToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            Log.Lost(logger, id, e.Message);
        }
        catch (Exception e)
        {
            Log.Failed(logger, e, id);
        }
    }

    private async Task ServeAsync(Socket socket, string id, CancellationToken stoppingToken)
    {
        var uid = UserOf(socket);
        var (principal, refusal) = await IdentifyAsync(uid, stoppingToken).ConfigureAwait(false);
        var maxMessage = link.Value.MaxMessage;
        var (transport, frames) = LinkPipe.CreatePair(maxMessage);
        var connection = new LinkConnection(id, Dialect, frames)
        {
            Principal = principal,
            Caller = Caller,
            HearsEnd = true,
            MaxMessage = maxMessage,
        };
        var stream = new NetworkStream(socket, ownsSocket: false);
        await using (stream.ConfigureAwait(false))
        {
            var pump = new LinePump(stream, stream, transport, maxMessage, id, logger) { Lost = connection.Lose, EndOutput = () => socket.Shutdown(SocketShutdown.Send) };
            if (refusal is null)
                await LinePump.ServeAsync(server, connection, pump, stoppingToken).ConfigureAwait(false);
            else
                await RefuseAsync(connection, pump, uid, refusal).ConfigureAwait(false);
        }
    }

    private async Task<(ClaimsPrincipal? Principal, LinkException? Refusal)> IdentifyAsync(uint uid, CancellationToken stoppingToken)
    {
        try
        {
            return (await authenticator.AuthenticateAsync(new LocalCredentials(uid), Caller, stoppingToken).ConfigureAwait(false), null);
        }
        catch (LinkException refusal)
        {
            return (null, refusal);
        }
    }

    private async Task RefuseAsync(LinkConnection connection, LinePump pump, uint uid, LinkException refusal)
    {
        Log.Refused(logger, connection.Id, uid, refusal.Message);
        var codec = codecs.Last(static codec => codec.Name == Dialect).Create(connection);
        codec.Encode(new Failed(refusal.Code, refusal.Message), new FrameWriter(connection.Frames.Output));
        pump.Start();
        await connection.Frames.Output.CompleteAsync().ConfigureAwait(false);
        await connection.Frames.Input.CompleteAsync().ConfigureAwait(false);
        await pump.StopAsync(Patience).ConfigureAwait(false);
    }

    /// <summary>The user who connected, as the kernel has noted it then.</summary>
    private static uint UserOf(Socket socket)
    {
        // unix(7): SOL_SOCKET and SO_PEERCRED give struct ucred, of process, user and group id.
        const int SocketLevel = 1;
        const int PeerCredentials = 17;
        Span<uint> credentials = stackalloc uint[3];
        var length = socket.GetRawSocketOption(SocketLevel, PeerCredentials, MemoryMarshal.AsBytes(credentials));
        return length == sizeof(uint) * 3 ? credentials[1] : throw new IOException("the system does not say who has connected");
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} is lost: {Why}")]
        public static partial void Lost(ILogger logger, string connectionId, string why);

        [LoggerMessage(LogLevel.Error, "Connection {ConnectionId} failed through a fault of this server")]
        public static partial void Failed(ILogger logger, Exception exception, string connectionId);

        [LoggerMessage(LogLevel.Warning, "Connection {ConnectionId} of the user with id {Uid} is refused: {Why}")]
        public static partial void Refused(ILogger logger, string connectionId, uint uid, string why);

        [LoggerMessage(LogLevel.Warning, "A connection could not be accepted: {Why}")]
        public static partial void NotAccepted(ILogger logger, string why);
    }
}
