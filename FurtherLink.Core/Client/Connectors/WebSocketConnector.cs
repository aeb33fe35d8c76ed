using FurtherLink.Framing;
using Microsoft.Extensions.Logging.Abstractions;

namespace FurtherLink.Client.Connectors;

/// <summary>The way to a server over WebSocket.</summary>
public sealed class WebSocketConnector : ILinkConnector, IDisposable
{
    private readonly Uri _address;
    private readonly WebSocketDialler _dialler;
    private readonly bool _isPinned;

    /// <summary>Makes it.</summary>
    /// <param name="address">ws or wss; without a path that of the native protocol, /run.</param>
    /// <param name="options">How it dials; null = the defaults.</param>
    /// <param name="time">The clock; null = the system's.</param>
    public WebSocketConnector(Uri address, WebSocketDialOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.Scheme is not ("ws" or "wss"))
            throw new ArgumentException($"The address must begin with ws:// or wss://, not with {address.Scheme}://.", nameof(address));
        _address = address.AbsolutePath == "/" ? new UriBuilder(address) { Path = "/run" }.Uri : address;
        options ??= new WebSocketDialOptions();
        _isPinned = options.Fingerprint is not null;
        _dialler = new WebSocketDialler(options, time ?? TimeProvider.System);

        // Without what may stand in front of the host or behind the path: a password or a token is for no message.
        Target = _address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
    }

    /// <inheritdoc/>
    public string Target { get; }

    /// <inheritdoc/>
    public bool CanReconnect => true;

    /// <inheritdoc/>
    public bool IsPrivate => _address.Scheme == "wss" || _address.IsLoopback;

    /// <inheritdoc/>
    public async ValueTask<ClientLink> ConnectAsync(int maxMessage, CancellationToken cancellationToken)
    {
        var (socket, why, status) = await _dialler.DialAsync(_address, cancellationToken).ConfigureAwait(false);
        if (socket is null)
            throw Explain(why, status);
        var (transport, frames) = LinkPipe.CreatePair(maxMessage);
        var pump = new WebSocketPump(socket, transport, maxMessage, Target, NullLogger.Instance);
        pump.Start();
        return new ClientLink(frames, async () =>
        {
            await pump.StopAsync(FramePump.Patience).ConfigureAwait(false);
            socket.Dispose();
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _dialler.Dispose();

    private LinkConnectException Explain(string why, int status)
    {
        if (status is 401 or 403 or 404)
            return new LinkConnectException($"{Target} answers {status}: {(status == 404 ? "there is no such address" : "access is denied")}") { IsFinal = true };
        if (why.Contains("certificate", StringComparison.OrdinalIgnoreCase))
        {
            var what = _isPinned
                ? "its certificate has another fingerprint than the one given"
                : "its certificate is not trusted here; give its fingerprint, which \"furtherlink cert\" shows there";
            return new LinkConnectException($"{Target} cannot be reached safely: {what}") { IsFinal = true };
        }

        return new LinkConnectException($"{Target} cannot be reached: {why}");
    }
}
