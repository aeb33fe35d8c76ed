using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FurtherLink.Framing;

/// <summary>Opens WebSockets to a server. It follows no redirects, so that what is shown to the named server is shown to no other. Thread safe.</summary>
public sealed class WebSocketDialler : IDisposable
{
    private readonly WebSocketDialOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _invoker;

    /// <summary>Makes a dialler.</summary>
    /// <param name="options">How it dials.</param>
    /// <param name="time">The clock.</param>
    public WebSocketDialler(WebSocketDialOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = static (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, cancellationToken),
        };
        if (options.Fingerprint is { } fingerprint)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => Matches(certificate, fingerprint);
        _invoker = new HttpMessageInvoker(handler);
    }

    /// <summary>Opens one.</summary>
    /// <param name="address">The server: ws or wss.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The socket, or why there is none.</returns>
    /// <exception cref="OperationCanceledException">It was told to end.</exception>
    public async Task<WebSocketDialResult> DialAsync(Uri address, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_options.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.KeepAliveInterval = _options.KeepAliveInterval;
            socket.Options.KeepAliveTimeout = _options.KeepAliveTimeout;
            socket.Options.CollectHttpResponseDetails = true;
            foreach (var (name, value) in _options.Headers)
                socket.Options.SetRequestHeader(name, value);
            await socket.ConnectAsync(address, _invoker, either.Token).ConfigureAwait(false);
            return new WebSocketDialResult(socket, "", 0);
        }
        catch (Exception e) when (e is WebSocketException or HttpRequestException or OperationCanceledException or IOException)
        {
            var status = (int)socket.HttpStatusCode;
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            return new WebSocketDialResult(
                null, limit.IsCancellationRequested ? $"it did not answer within {_options.Timeout.TotalSeconds:0.###} s" : Explain(address, e), status);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _invoker.Dispose();

    private static string Explain(Uri address, Exception e)
    {
        var message = e.GetBaseException().Message;
        var error = (e as HttpRequestException ?? e.InnerException as HttpRequestException)?.HttpRequestError;
        if (error is HttpRequestError.SecureConnectionError && !message.Contains("certificate", StringComparison.OrdinalIgnoreCase))
            return $"it does not speak TLS there, or not as this does; a server without TLS is reached by ws:// ({message.TrimEnd('.')})";
        return error is HttpRequestError.ResponseEnded && address.Scheme == "ws"
            ? "it has ended the connection without an answer; a server with TLS is reached by wss://"
            : message;
    }

    // The fingerprint alone says who it is: a device makes its certificate itself.
    private static bool Matches(X509Certificate? certificate, string fingerprint) =>
        certificate is not null && certificate.GetCertHashString(HashAlgorithmName.SHA256).Equals(fingerprint.Replace(":", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint end, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            UnsentBytes.Limit(socket);
            await socket.ConnectAsync(end, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>How WebSockets are opened.</summary>
public sealed record WebSocketDialOptions
{
    /// <summary>How long an attempt may take. Default 15 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>After how long without a sign of life the server is sent a ping. Default 10 s.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long its answer may take before the server counts as gone. Default 15 s.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The SHA-256 fingerprint that the server's certificate must have, in hexadecimal, which is then all that counts; null = it must be trusted by this system.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Headers of the request, such as Authorization. Default none.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;
}

/// <summary>What became of an attempt.</summary>
/// <param name="Socket">The socket, the caller's to dispose; null = there is none.</param>
/// <param name="Why">Why there is none, in words.</param>
/// <param name="Status">The HTTP status that the server answered with instead; 0 = it did not.</param>
public readonly record struct WebSocketDialResult(WebSocket? Socket, string Why, int Status);
