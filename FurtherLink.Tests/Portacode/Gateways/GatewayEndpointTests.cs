using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Portacode.Gateways;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Portacode.Gateways;

[TestFixture]
internal sealed class GatewayEndpointTests
{
    private TemporaryFolder _folder = null!;
    private TestHost _device = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _device = new TestHost(
            builder => builder.AddPortacode(configure: options => options.KeyDirectory = _folder["keys"]),
            map: endpoints => endpoints.MapPortacode("/portacode"));
    }

    [TearDown]
    public async Task TearDown()
    {
        await _device.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Gateway_ThatDialsIn_IsProvedTheKeyAndServed()
    {
        using var socket = await DialInAsync();
        Assert.That(await TestGateway.AuthenticateAsync(socket, default), Is.EqualTo(_device.Get<DeviceIdentity>().PublicKeyText));
        var events = new List<string?>();
        while (!events.Contains("terminal_list"))
            events.Add((string?)JsonNode.Parse((await TestGateway.ReceiveAsync(socket, default).WaitAsync(Patience.Long))!)!["payload"]!["event"]);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", default).WaitAsync(Patience.Long);
    }

    [Test]
    public async Task Gateway_ThatRejectsTheKey_IsLeftAndTheNextOneServed()
    {
        using var picky = await DialInAsync();
        await TestGateway.ReceiveAsync(picky, default);
        await TestGateway.SendAsync(picky, "unknown device", default);
        await Assert.ThrowsAsync<WebSocketException>(() => TestGateway.ReceiveAsync(picky, default).WaitAsync(Patience.Long));
        using var other = await DialInAsync();
        await TestGateway.AuthenticateAsync(other, default);
        Assert.That(await TestGateway.ReceiveAsync(other, default).WaitAsync(Patience.Long), Is.Not.Null);
    }

    [Test]
    public async Task Page_OfAForeignOrigin_IsRefused()
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", "https://elsewhere.example");
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(async () => await socket.ConnectAsync(new Uri(await _device.ListenAsync("ws"), "/portacode"), default));
        Assert.That(socket.HttpStatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    [Test]
    public async Task Request_ForAPage_IsToldWhatThisIs()
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(await _device.ListenAsync("http"), "/portacode"));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Device_Stopped_SaysGoodbyeToGatewaysInAnyState()
    {
        using var served = await DialInAsync();
        await TestGateway.AuthenticateAsync(served, default);
        using var silent = await DialInAsync();
        await TestGateway.ReceiveAsync(silent, default);
        var stopping = _device.StopAsync();
        while (await TestGateway.ReceiveAsync(served, default).WaitAsync(Patience.Long) is not null)
            continue;
        Assert.That(served.CloseStatus, Is.EqualTo(WebSocketCloseStatus.EndpointUnavailable));
        await served.CloseAsync(WebSocketCloseStatus.NormalClosure, "", default);
        await stopping.WaitAsync(Patience.Long);
    }

    private async Task<ClientWebSocket> DialInAsync()
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri(await _device.ListenAsync("ws"), "/portacode"), default);
        return socket;
    }
}
