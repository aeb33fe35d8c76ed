using System.IO.Pipelines;
using System.Net.Sockets;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Sessions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Holding;

/// <summary>
/// The process that holds sessions: listens on its socket for the server, and ends itself when it has held nothing for a while.
/// </summary>
internal sealed partial class Holder : BackgroundService
{
    // Between the server's start of this process and its first session; then between one session's end and another's start.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(3);

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int ReadSize = 64 * 1024;

    // After a restart the server comes for all sessions at once.
    private const int Backlog = 1024;

    private readonly ILinkServer _server;
    private readonly SessionTable _sessions;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly FileStream _lock;
    private readonly string _path;
    private readonly TaskSet _serving = new();
    private int _connections;
    private long _lastId;

    /// <summary>Takes the socket.</summary>
    /// <exception cref="IOException">Another holder has it.</exception>
    public Holder(
        ILinkServer server, SessionTable sessions, IOptions<HolderOptions> options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<Holder> logger)
    {
        _server = server;
        _sessions = sessions;
        _lifetime = lifetime;
        _time = time;
        _logger = logger;
        _path = options.Value.Socket;
        // Held until this process ends, however it does (flock(2)).
        _lock = new FileStream(_path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        File.Delete(_path);
        _listener.Bind(new UnixDomainSocketEndPoint(_path));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_path, OwnerOnly);
        _listener.Listen(Backlog);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _listener.Dispose();
        _lock.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var ending = EndWhenIdleAsync(stoppingToken);
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(stoppingToken).ConfigureAwait(false);
                _serving.Add(ServeAsync(socket, stoppingToken));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            File.Delete(_path);
        }

        await ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _serving.WhenEmptyAsync().ConfigureAwait(false);
    }

    private async Task ServeAsync(Socket socket, CancellationToken stoppingToken)
    {
        Interlocked.Increment(ref _connections);
        try
        {
            using var stream = new NetworkStream(socket, ownsSocket: true);
            var pipe = new Duplex(
                PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ReadSize, leaveOpen: true)),
                PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: ReadSize, leaveOpen: true)));
            await _server.ServeAsync(
                new LinkConnection($"held-{Interlocked.Increment(ref _lastId)}", HeldCodec.Name, pipe) { Principal = Rights.Grant("server", Access.Own) },
                stoppingToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The server was ended in the middle of a message.
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    private async Task EndWhenIdleAsync(CancellationToken stoppingToken)
    {
        var idle = _time.GetTimestamp();
        while (true)
        {
            await Task.Delay(Linger / 4, _time, stoppingToken).ConfigureAwait(false);
            if (Volatile.Read(ref _connections) > 0 || _sessions.Sessions.Any())
                idle = _time.GetTimestamp();
            else if (_time.GetElapsedTime(idle) >= Linger)
                break;
        }

        Log.Idle(_logger);
        _lifetime.StopApplication();
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Nothing is held any more: ending")]
        public static partial void Idle(ILogger logger);
    }
}
