using System.Net;
using System.Net.Sockets;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Transports.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Tests.WebSockets.Admission;

/// <summary>An app with an endpoint for those who may watch, "/watch", and ways to ask it anything.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal abstract class GateFixture : IAsyncDisposable
{
    private LinkApp? _app;

    protected LinkApp App => _app!;

    protected KnownTokens Tokens { get; } = new();

    protected ScriptedServer Server { get; } = ScriptedServer.Echo();

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
    }

    protected async Task StartAsync(Action<WebSocketLinkOptions>? transport = null, TimeProvider? time = null, Action<WebApplication>? map = null) =>
        _app = await LinkApp.StartAsync(Server, transport, authenticator: Tokens, time: time, map: app =>
        {
            map?.Invoke(app);
            app.MapGuarded("/watch", Access.View, context => context.Response.WriteAsync(context.User.Identity!.Name!));
        });

    /// <summary>Asks, with headers given as "Name: value".</summary>
    protected async Task<HttpResponseMessage> AskAsync(string path, params string[] headers)
    {
        using var request = new HttpRequestMessage(path is "/login" or "/logout" or "/pair" or "/upload" ? HttpMethod.Post : HttpMethod.Get, path);
        Add(request, headers);
        return await App.Http.SendAsync(request);
    }

    protected async Task<HttpResponseMessage> PostAsync(string path, string body, params string[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        Add(request, headers);
        return await App.Http.SendAsync(request);
    }

    protected async Task<int> StatusAsync(string path, params string[] headers)
    {
        using var response = await AskAsync(path, headers);
        return (int)response.StatusCode;
    }

    /// <summary>Sends a request's very lines, and gives the answer's first.</summary>
    protected async Task<string?> SendAsync(params string[] lines)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, App.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", lines) + "\r\n\r\n"));
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync().WaitAsync(LinkApp.Patience);
    }

    private static void Add(HttpRequestMessage request, string[] headers)
    {
        foreach (var header in headers)
        {
            var colon = header.IndexOf(':', StringComparison.Ordinal);
            Assert.That(request.Headers.TryAddWithoutValidation(header[..colon], header[(colon + 1)..].Trim()));
        }
    }
}
