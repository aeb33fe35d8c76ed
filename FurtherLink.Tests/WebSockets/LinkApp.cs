using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using FurtherLink.Security;
using FurtherLink.Transports.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FurtherLink.Tests.WebSockets;

/// <summary>A real Kestrel on a free port with FurtherLink's endpoints, over a server that a test scripts.</summary>
internal sealed class LinkApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LinkApp(WebApplication app, Uri address, ConcurrentQueue<Socket> sockets)
    {
        _app = app;
        Sockets = sockets;
        Address = address;
        Http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = address };
    }

    /// <summary>How long a test waits for what must come before it fails.</summary>
    public static TimeSpan Patience => TimeSpan.FromSeconds(30);

    public Uri Address { get; }

    public int Port => Address.Port;

    /// <summary>The server's sockets of all connections so far.</summary>
    public ConcurrentQueue<Socket> Sockets { get; }

    public HttpClient Http { get; }

    public static async Task<LinkApp> StartAsync(
        ScriptedServer? server = null, Action<WebSocketLinkOptions>? transport = null, Action<LinkOptions>? core = null,
        IAuthenticator? authenticator = null, TimeProvider? time = null, Action<WebApplication>? map = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var sockets = new ConcurrentQueue<Socket>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Use(next => connection =>
        {
            sockets.Enqueue(connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket);
            return next(connection);
        })));
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Patience);
        if (server is not null)
            builder.Services.AddSingleton<ILinkServer>(server);
        if (authenticator is not null)
            builder.Services.AddSingleton(authenticator);
        if (time is not null)
            builder.Services.AddSingleton(time);
        builder.Services.AddFurtherLink().AddWebSockets(configure: transport);
        if (core is not null)
            builder.Services.Configure(core);
        var app = builder.Build();
        app.UseFurtherLink();
        map?.Invoke(app);
        app.UseRouting();
        app.MapFurtherLink();
        await app.StartAsync();
        return new LinkApp(app, new Uri(app.Urls.Single()), sockets);
    }

    public Task StopAsync() => _app.StopAsync();

    /// <summary>Opens a WebSocket; its handshake's status is kept where it is refused.</summary>
    public async Task<ClientWebSocket> ConnectAsync(string path = "/run", Action<ClientWebSocketOptions>? configure = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        configure?.Invoke(socket.Options);
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}{path}"), default);
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }
}
