using System.Net.WebSockets;
using FurtherLink.Client;
using FurtherLink.Framing;
using FurtherLink.Messages;
using FurtherLink.Security;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>
/// Keeps the device connected to the gateway of its settings: dials, proves the key, serves, and dials again when the connection is lost. It does
/// nothing where the settings name no gateway.
/// </summary>
/// <param name="identity">The device's key, opened when it is needed.</param>
/// <param name="server">Serves what is connected.</param>
/// <param name="status">Told how it stands.</param>
/// <param name="options">The settings.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed partial class GatewayConnector(
    Lazy<DeviceIdentity> identity, GatewayServer server, GatewayStatus status, IOptions<PortacodeOptions> options, TimeProvider time,
    ILogger<GatewayConnector> logger) : BackgroundService
{
    private readonly PortacodeOptions _options = options.Value;

    // Without what may stand in front of the host or behind the path: a password or a token is for no log.
    private readonly string _name = options.Value.GatewayUrl?.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) ?? "";

    // What was last said in the log, so that a gateway that stays away is one line there.
    private string? _said;

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (_options.GatewayUrl is null)
            return Task.CompletedTask;

        // Here, so that a broken key is a host that does not start.
        if (identity.Value.IsWeak)
            Log.WeakKey(logger, identity.Value.KeySize, identity.Value.PublicKeyFile);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backoff = new Backoff(_options.MinBackoff, _options.MaxBackoff, time, Random.Shared);
        var gateway = new Gateway(_options, time);
        using var dialler = new WebSocketDialler(Dialling(_options), time);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var isRejected = await ConnectAsync(dialler, gateway, backoff, stoppingToken).ConfigureAwait(false);
                if (isRejected && _options.OnRejected is KeyRejection.End)
                    return;
                await Task.Delay(isRejected ? backoff.NextAfterRejection() : backoff.Next(), time, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private static WebSocketDialOptions Dialling(PortacodeOptions options) => new()
    {
        Timeout = options.HandshakeTimeout,
        KeepAliveInterval = options.KeepAliveInterval,
        KeepAliveTimeout = options.KeepAliveTimeout,
    };

    /// <summary>One attempt, and what comes of it to its end.</summary>
    /// <returns>Whether the key was rejected.</returns>
    private async Task<bool> ConnectAsync(WebSocketDialler dialler, Gateway gateway, Backoff backoff, CancellationToken stoppingToken)
    {
        var (socket, unreached, _) = await dialler.DialAsync(_options.GatewayUrl!, stoppingToken).ConfigureAwait(false);
        if (socket is null)
        {
            Wait(unreached);
            return false;
        }

        using (socket)
        {
            switch (await new DeviceHandshake(identity.Value, _options.HandshakeTimeout, time).RunAsync(socket, stoppingToken).ConfigureAwait(false))
            {
                case HandshakeResult.Accepted:
                    backoff.Establish();
                    await ServeAsync(socket, gateway, stoppingToken).ConfigureAwait(false);
                    return false;
                case HandshakeResult.Rejected rejected:
                    Reject(rejected.Reason);
                    return true;
                case HandshakeResult.Failed failed:
                    Wait(failed.Why);
                    return false;
                default:
                    return false;
            }
        }
    }

    private async Task ServeAsync(WebSocket socket, Gateway gateway, CancellationToken stoppingToken)
    {
        _said = null;
        status.Report(GatewayState.Connected);
        Log.Connected(logger, _name, identity.Value.Fingerprint);
        try
        {
            await server.ServeAsync(socket, gateway, Rights.Grant("gateway", Access.Own), new Caller(_name, IsLocal: false), stoppingToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            // A fault of ours ends one connection; the next one may be luckier.
            Log.Failed(logger, e, _name);
        }

        if (!stoppingToken.IsCancellationRequested)
            Wait(socket.CloseStatus is { } code ? $"the connection was closed ({(int)code})" : "the connection was lost");
    }

    private void Wait(string why)
    {
        status.Report(GatewayState.Waiting, why);
        if (IsNews(why))
            Log.Waiting(logger, _name, why);
    }

    private void Reject(string reason)
    {
        var isLast = _options.OnRejected is KeyRejection.End;
        status.Report(GatewayState.Rejected, reason, isLast);
        if (IsNews("rejected: " + reason))
            Log.Rejected(logger, _name, identity.Value.Fingerprint, reason, identity.Value.PublicKeyFile, isLast ? "then start the device again" : "attempts go on");
    }

    private bool IsNews(string said)
    {
        var isNews = _said != said;
        _said = said;
        return isNews;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Connected to the gateway {Gateway} as device {Fingerprint}")]
        public static partial void Connected(ILogger logger, string gateway, string fingerprint);

        [LoggerMessage(LogLevel.Warning, "Not connected to the gateway {Gateway}: {Why}; attempts go on")]
        public static partial void Waiting(ILogger logger, string gateway, string why);

        [LoggerMessage(LogLevel.Error,
            "The gateway {Gateway} rejects the key of this device, {Fingerprint}: {Reason}. Register the key with the gateway: the text of {PublicKeyFile}; {Next}")]
        public static partial void Rejected(ILogger logger, string gateway, string fingerprint, string reason, string publicKeyFile, string next);

        [LoggerMessage(LogLevel.Warning, "The device's key has {Bits} bits, fewer than the 2048 that are safe today; {PublicKeyFile} and its private key can be removed to get a new one, which has to be registered with the gateway")]
        public static partial void WeakKey(ILogger logger, int bits, string publicKeyFile);

        [LoggerMessage(LogLevel.Error, "Serving the gateway {Gateway} failed through a fault of this device")]
        public static partial void Failed(ILogger logger, Exception exception, string gateway);
    }
}
