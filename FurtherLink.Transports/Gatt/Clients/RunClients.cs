using System.Security.Claims;
using FurtherLink.Framing;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Transports.Gatt.Bluez;
using FurtherLink.Transports.Gatt.Values;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.Gatt.Clients;

/// <summary>
/// The clients of all devices: a device may have several, which call themselves by names of their own in each message. Each is a connection to the server;
/// one that is silent for too long, or whose device has gone, has gone, too.
/// </summary>
internal sealed partial class RunClients : IDisposable
{
    private const string Dialect = "further";
    private static long _lastId;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Device, string Client), RunClient> _clients = [];
    private readonly HashSet<Task> _serving = [];
    private readonly ILinkServer _server;
    private readonly OutboxCharacteristic _outbox;
    private readonly GattOptions _options;
    private readonly LinkOptions _link;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TokenBucket _bucket;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Makes an empty set.</summary>
    /// <param name="server">Serves them.</param>
    /// <param name="outbox">Where what they are told goes.</param>
    /// <param name="options">The transport's settings.</param>
    /// <param name="link">The core's.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public RunClients(ILinkServer server, OutboxCharacteristic outbox, IOptions<GattOptions> options, IOptions<LinkOptions> link, TimeProvider time, ILogger<RunClients> logger)
    {
        _server = server;
        _outbox = outbox;
        _options = options.Value;
        _link = link.Value;
        _time = time;
        _logger = logger;
        _bucket = new TokenBucket(_options.Rate, time);
        var turn = _options.ClientTimeout / 4;
        _timer = time.CreateTimer(static clients => ((RunClients)clients!).DropSilent(), this, turn, turn);
    }

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _clients.Count;
        }
    }

    /// <summary>Takes a message that a device has written.</summary>
    /// <returns>Completes when the device may write on.</returns>
    /// <exception cref="BluezException">It is none, or comes from one client too many.</exception>
    public async ValueTask TakeAsync(Central central, ReadOnlyMemory<byte> message)
    {
        if (MessageHead.Read(message) is not { } head)
            throw Refuse(central, "the message is no JSON object");
        if (head.Client is not { } name)
            throw Refuse(central, "the message does not say its client: a text of up to 256 bytes, which the client has made up");
        while (!await Get(central, name).TakeAsync(head, _stopping.Token).ConfigureAwait(false))
        {
            // It ended just now: the message opens another.
            lock (_lock)
                _clients.Remove((central.Device, name));
        }
    }

    /// <summary>What a device may do beside its runs: as much as any of its clients that has said who it is.</summary>
    public Grant GrantOf(string device)
    {
        if (_options.LegacyOpen)
            return Grant.Of(Anyone);
        var grants = Where(place => place.Device == device).Select(static client => Grant.Of(client.Principal())).ToList();
        return grants.Count == 0 ? Grant.Nobody : grants.MaxBy(static grant => grant.Access)!;
    }

    /// <summary>A device has gone, and its clients with it.</summary>
    public void Forget(string device)
    {
        foreach (var client in Where(place => place.Device == device))
            client.Cut();
    }

    /// <summary>All have gone.</summary>
    public void Forget()
    {
        foreach (var client in Where(static _ => true))
            client.Cut();
    }

    /// <summary>Ends all: each is told that the device stops.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        Task[] serving;
        lock (_lock)
            serving = [.. _serving];
        await Task.WhenAll(serving).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        _stopping.Dispose();
    }

    private RunClient[] Where(Func<(string Device, string Client), bool> which)
    {
        lock (_lock)
            return [.. _clients.Where(client => which(client.Key)).Select(static client => client.Value)];
    }

    private BluezException Refuse(Central central, string why)
    {
        Log.Refused(_logger, central.Address, why);
        return new BluezException(BluezNames.Errors.Failed, why);
    }

    private RunClient Get(Central central, string name)
    {
        lock (_lock)
        {
            if (_clients.TryGetValue((central.Device, name), out var known))
                return known;
            if (_clients.Keys.Count(place => place.Device == central.Device) >= _options.MaxClientsPerDevice)
                throw Refuse(central, $"a device has at most {_options.MaxClientsPerDevice} clients at a time");
            var (client, serving) = Open(central, name);
            _clients.Add((central.Device, name), client);
            _serving.RemoveWhere(static one => one.IsCompleted);
            _serving.Add(serving);
            return client;
        }
    }

    private (RunClient Client, Task Serving) Open(Central central, string name)
    {
        var (transport, frames) = LinkPipe.CreatePair(_link.MaxMessage);
        var connection = new LinkConnection($"ble-{Interlocked.Increment(ref _lastId)}", Dialect, frames)
        {
            Principal = _options.LegacyOpen ? Anyone : null,
            Caller = new Caller(central.Address, IsLocal: false),
            Label = name,
            Lossless = false,
            MaxMessage = _options.MaxMessage,
            MaxChunk = _bucket.Piece,
            Defaults = new RunDefaults { Terminal = TerminalSize.Default },
        };
        var client = new RunClient(transport, _outbox, _bucket, _time) { Principal = () => connection.Principal };
        return (client, Task.Run(() => ServeAsync(connection, client, (central.Device, name))));
    }

    private static ClaimsPrincipal Anyone { get; } = new Grant("anyone", Access.Own) { Users = [] }.ToPrincipal();

    private async Task ServeAsync(LinkConnection connection, RunClient client, (string Device, string Client) place)
    {
        Log.Opened(_logger, connection.Id, connection.Caller.Address, place.Client);
        var sending = SendAsync(connection, client);
        try
        {
            await _server.ServeAsync(connection, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.Failed(_logger, e, connection.Id);
        }
        finally
        {
            lock (_lock)
            {
                if (_clients.GetValueOrDefault(place) == client)
                    _clients.Remove(place);
            }

            await connection.Frames.Output.CompleteAsync().ConfigureAwait(false);
            await connection.Frames.Input.CompleteAsync().ConfigureAwait(false);
            await sending.ConfigureAwait(false);
            Log.Closed(_logger, connection.Id);
        }
    }

    private static async Task SendAsync(LinkConnection connection, RunClient client)
    {
        connection.Lose(await client.SendAllAsync().ConfigureAwait(false));
        await client.DropAsync().ConfigureAwait(false);
    }

    private void DropSilent()
    {
        RunClient[] silent;
        lock (_lock)
            silent = [.. _clients.Values.Where(client => client.Silence > _options.ClientTimeout)];
        foreach (var client in silent)
            client.Cut();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} over Bluetooth from {Address}, client {Client}")]
        public static partial void Opened(ILogger logger, string connectionId, string address, string client);

        [LoggerMessage(LogLevel.Debug, "Connection {ConnectionId} is closed")]
        public static partial void Closed(ILogger logger, string connectionId);

        [LoggerMessage(LogLevel.Information, "A Bluetooth message of {Address} is refused: {Why}")]
        public static partial void Refused(ILogger logger, string address, string why);

        [LoggerMessage(LogLevel.Error, "Connection {ConnectionId} failed through a fault of this server")]
        public static partial void Failed(ILogger logger, Exception exception, string connectionId);
    }
}
