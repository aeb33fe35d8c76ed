using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FurtherLink.Tests.Portacode.Gateways;

/// <summary>A gateway on a free port that a test scripts: each connection is given to the script, and closed when it returns.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _connections;

    private TestGateway(WebApplication app) => _app = app;

    /// <summary>Where devices dial.</summary>
    public Uri Address => new UriBuilder(_app.Urls.Single().Replace("http", "ws", StringComparison.Ordinal)) { Path = "/gateway" }.Uri;

    /// <summary>How many WebSockets it has accepted.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The requests that opened them.</summary>
    public ConcurrentQueue<IReadOnlyDictionary<string, string>> Requests { get; } = [];

    public static async Task<TestGateway> StartAsync(Func<WebSocket, CancellationToken, Task> script, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
                listen.UseHttps(certificate);
        }));
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.Zero);
        var app = builder.Build();
        var gateway = new TestGateway(app);
        app.UseWebSockets();
        app.Run(async context =>
        {
            gateway.Requests.Enqueue(context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase));
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            Interlocked.Increment(ref gateway._connections);
            try
            {
                await script(socket, app.Lifetime.ApplicationStopping);
                if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", app.Lifetime.ApplicationStopping);
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException)
            {
                socket.Abort();
            }
        });
        await app.StartAsync();
        return gateway;
    }

    /// <summary>A script that takes every device whose signature is right, and then does something else.</summary>
    public static Func<WebSocket, CancellationToken, Task> Taking(Func<WebSocket, CancellationToken, Task> then) => async (socket, cancellationToken) =>
    {
        await AuthenticateAsync(socket, cancellationToken);
        await then(socket, cancellationToken);
    };

    /// <summary>The gateway's side of the handshake, to its "ok".</summary>
    /// <returns>The key that the device has proved to have.</returns>
    public static async Task<string> AuthenticateAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var text = await ReceiveAsync(socket, cancellationToken);
        using var key = RSA.Create();
        key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(text!), out _);
        var challenge = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        await SendAsync(socket, new JsonObject { ["challenge"] = challenge, ["more"] = new JsonArray(1, 2) }.ToJsonString(), cancellationToken);
        var signature = JsonNode.Parse((await ReceiveAsync(socket, cancellationToken))!)!["signature"]!.GetValue<string>();
        var isRight = key.VerifyData(Encoding.UTF8.GetBytes(challenge), Convert.FromBase64String(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        await SendAsync(socket, isRight ? "ok" : "the signature is wrong", cancellationToken);
        return text!;
    }

    public static Task SendAsync(WebSocket socket, string text, CancellationToken cancellationToken) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);

    /// <summary>One message as text; null where the device says goodbye instead.</summary>
    public static async Task<string?> ReceiveAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        using var message = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, cancellationToken);
            if (part.MessageType is WebSocketMessageType.Close)
                return null;
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
                return Encoding.UTF8.GetString(message.ToArray());
        }
    }

    /// <summary>Reads up to an event, leaving out all before it.</summary>
    public static async Task<JsonNode> UntilAsync(WebSocket socket, string name, CancellationToken cancellationToken)
    {
        while (JsonNode.Parse(await ReceiveAsync(socket, cancellationToken) ?? "null") is { } frame)
        {
            if (frame["payload"] is JsonObject payload && (string?)payload["event"] == name)
                return payload;
        }

        throw new AssertionException($"The device closed the connection before \"{name}\" came.");
    }

    /// <summary>Reads on until the device says goodbye.</summary>
    public static async Task DrainAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        while (await ReceiveAsync(socket, cancellationToken) is not null)
            continue;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
