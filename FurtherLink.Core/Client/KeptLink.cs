using System.Diagnostics.CodeAnalysis;
using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>
/// A client's connection, which is opened when it is first needed, and again when it is lost, as long as that makes sense. Thread safe.
/// </summary>
/// <param name="connector">The way to the server.</param>
/// <param name="options">How the client behaves.</param>
/// <param name="requests">Where the answer to its greeting is waited for.</param>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source without timer and wait handle holds nothing.")]
internal sealed class KeptLink(ILinkConnector connector, ClientOptions options, PendingRequests requests)
{
    private const string ClosedHere = "it was closed here";

    private static readonly IReadOnlyList<string> Extensions = ["missed", "sessions", "offsets", "ack", "bytes"];

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<string> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private volatile ClientWire? _wire;
    private volatile string? _greeting;
    private Task? _open;
    private Task _running = Task.CompletedTask;

    /// <summary>Called with every message, one at a time; must not wait. The message is borrowed.</summary>
    public required Action<ServerMessage> Received { get; init; }

    /// <summary>Called when the connection is lost, before it is opened again.</summary>
    public required Action Lost { get; init; }

    /// <summary>Called when it is open again.</summary>
    public required Action Back { get; init; }

    /// <summary>Called when it has ended for good, with why, behind <see cref="Closed"/>.</summary>
    public required Action<string> Ended { get; init; }

    /// <summary>Where it leads, for people.</summary>
    public string Target => connector.Target;

    /// <summary>Whether it is opened again.</summary>
    public bool CanReconnect => connector.CanReconnect && options.ReconnectTimeout > TimeSpan.Zero;

    /// <summary>What the server is and takes.</summary>
    public HelloAnswer Server { get; private set; } = new("", 0, 0);

    /// <summary>The reference of a greeting that is not answered yet; null = it is.</summary>
    public string? Greeting => _greeting;

    /// <summary>Completes when it has ended for good, with why; never fails.</summary>
    public Task<string> Closed => _closed.Task;

    /// <summary>Sends a message, sooner or later; nothing happens while the connection is lost.</summary>
    public void Post(ClientMessage message) => _wire?.Post(message);

    /// <summary>Opens it where that has not been done, or has failed.</summary>
    /// <exception cref="LinkConnectException">The server cannot be reached, or what answers is none.</exception>
    public Task OpenAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_open is null or { IsFaulted: true } or { IsCanceled: true })
                _open = OpenFirstAsync();
            return _open.IsCompletedSuccessfully ? _open : _open.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Ends it.</summary>
    /// <param name="last">What is still to be said, which it waits for unless the connection is lost: then nobody can be told.</param>
    public async Task CloseAsync(Task last)
    {
        if (_wire is { } wire)
            await Task.WhenAny(last, wire.Ended).ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_open is { } open)
            await open.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _running.ConfigureAwait(false);
        _closed.TrySetResult(ClosedHere);
    }

    private async Task OpenFirstAsync()
    {
        await GreetAsync().ConfigureAwait(false);
        _running = RunAsync();
    }

    /// <summary>Opens a connection and learns who is there.</summary>
    private async Task GreetAsync()
    {
        if (options.Token is not null && !connector.IsPrivate)
            throw LinkConnectException.NotPrivate(Target);
        var link = await connector.ConnectAsync(options.MaxMessage, _stop.Token).ConfigureAwait(false);
        var wire = new ClientWire(link, options.MaxMessage, Received);
        wire.Start();
        try
        {
            if (options.Token is { } token)
                await AskAsync(wire, new Call("auth.login", new Login(token))).ConfigureAwait(false);
            Server = await AskAsync(wire, new Call("device.hello", new Hello(options.Label) { Extensions = Extensions })).ConfigureAwait(false) is Result { Body: HelloAnswer known }
                ? known
                : throw new LinkConnectException($"{Target} is no FurtherLink server: it does not answer \"hello\"") { IsFinal = true };
            _greeting = null;
            _wire = wire;
        }
        catch (LinkException e) when (e.Code is FailureCode.Unauthenticated or FailureCode.Limited)
        {
            await wire.DisposeAsync().ConfigureAwait(false);
            throw new LinkConnectException($"{Target} does not let this client in: {e.Message}", e) { IsFinal = e.Code is FailureCode.Unauthenticated };
        }
        catch (LinkException e) when (e is not LinkConnectException)
        {
            await wire.DisposeAsync().ConfigureAwait(false);
            throw new LinkConnectException($"{Target} is no FurtherLink server of today: {e.Message}", e) { IsFinal = true };
        }
        catch
        {
            await wire.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Asks for something before anybody else may use the connection.</summary>
    private async Task<ServerMessage> AskAsync(ClientWire wire, Call call)
    {
        var answer = requests.Add(call);
        _greeting = call.Ref;
        wire.Post(call);
        var first = requests.WaitAsync(call, answer, _stop.Token);
        if (await Task.WhenAny(first, wire.Ended).ConfigureAwait(false) == wire.Ended)
        {
            requests.Forget(call);
            throw new LinkConnectException($"{Target} has ended the connection at once: {await wire.Ended.ConfigureAwait(false)}");
        }

        return await first.ConfigureAwait(false);
    }

    /// <summary>Keeps the connection until it is stopped or cannot be kept.</summary>
    private async Task RunAsync()
    {
        var why = ClosedHere;
        while (true)
        {
            var wire = _wire!;
            await Task.WhenAny(wire.Ended, Task.Delay(Timeout.Infinite, _stop.Token)).ConfigureAwait(false);
            _wire = null;
            await wire.DisposeAsync().ConfigureAwait(false);
            if (_stop.IsCancellationRequested)
                break;
            why = await wire.Ended.ConfigureAwait(false);
            if (!CanReconnect)
                break;
            Lost();
            options.Changed?.Invoke(new LinkChange(LinkState.Reconnecting, why));
            if (await ReopenAsync().ConfigureAwait(false) is { } failure)
            {
                why = failure;
                break;
            }

            Back();
            options.Changed?.Invoke(new LinkChange(LinkState.Connected, null));
        }

        _closed.TrySetResult(why);
        Ended(why);
        options.Changed?.Invoke(new LinkChange(LinkState.Closed, why));
    }

    /// <summary>Opens the connection again, as long as that makes sense.</summary>
    /// <returns>Null, or why there is none.</returns>
    private async Task<string?> ReopenAsync()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), options.Time, Random.Shared);
        var since = options.Time.GetTimestamp();
        while (true)
        {
            try
            {
                await GreetAsync().ConfigureAwait(false);
                return null;
            }
            catch (OperationCanceledException)
            {
                return ClosedHere;
            }
            catch (LinkConnectException e) when (e.IsFinal || options.Time.GetElapsedTime(since) > options.ReconnectTimeout)
            {
                return e.Message;
            }
            catch (LinkConnectException)
            {
                // Tried again below.
            }

            await Task.Delay(backoff.Next(), options.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
