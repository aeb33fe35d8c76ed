using System.Net;
using System.Net.WebSockets;
using FurtherLink.Messages;

namespace FurtherLink.Tests.WebSockets.Admission;

internal sealed class HostTests : GateFixture
{
    [TestCase("localhost")]
    [TestCase("localhost:1")]
    [TestCase("LocalHost.")]
    [TestCase("pad.localhost:8028")]
    [TestCase("127.0.0.1")]
    [TestCase("127.8.9.1:80")]
    [TestCase("[::1]:80")]
    [TestCase("192.168.1.7")]
    [TestCase("[fe80::1]")]
    [TestCase("MACHINE")]
    [TestCase("MACHINE.local:8028")]
    [TestCase("device.example.org")]
    [TestCase("DEVICE.example.org.:443")]
    public async Task Host_OfThisDevice_IsAnswered(string host)
    {
        await StartAsync(transport => transport.AllowedHosts.Add("device.example.org"));
        Assert.That(await StatusAsync("/status", "Host: " + host.Replace("MACHINE", Dns.GetHostName().Split('.')[0], StringComparison.Ordinal)), Is.EqualTo(200));
    }

    [TestCase("evil.example")]
    [TestCase("device.example.org")]
    [TestCase("localhost.evil.example")]
    [TestCase("127.0.0.1.evil.example:8028")]
    [TestCase("evillocalhost")]
    [TestCase("other.local")]
    public async Task Host_OfAnother_IsRefusedEverywhere(string host)
    {
        await StartAsync();
        foreach (var path in new[] { "/status", "/version", "/watch", "/run", "/login", "/nothing" })
        {
            using var response = await AskAsync(path, "Host: " + host, "Authorization: Bearer own");
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.MisdirectedRequest), path);
            Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("AllowedHosts"));
        }

        Assert.That(Tokens.Shown, Is.Empty);
    }

    [Test]
    public async Task Host_NotSaid_IsRefused()
    {
        await StartAsync();
        Assert.That(await SendAsync("GET /status HTTP/1.0"), Does.StartWith("HTTP/1.1 421 "));
    }

    [TestCase("0.0.0.0")]
    [TestCase("0.0.0.0:8028")]
    public async Task Host_Unspecified_IsLoopbackWhereAPageWouldSayItsOrigin(string host)
    {
        await StartAsync();
        using (var socket = await App.ConnectAsync("/run", options => options.SetRequestHeader("Host", host)))
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await Server.Ended;
        Assert.That(Server.Connection!.Grant.Access, Is.EqualTo(Access.Own));
        Assert.That(await StatusAsync("/upload", "Host: " + host), Is.EqualTo(400), "let in, and told what is wrong with an upload of nothing");

        Assert.That(await StatusAsync("/watch", "Host: " + host), Is.EqualTo(401), "an image of a page comes just like this");
        Assert.That(await StatusAsync("/watch", "Host: " + host, "Authorization: Bearer own"), Is.EqualTo(200));
        Assert.That(await StatusAsync("/upload", "Host: " + host, "Origin: https://evil.example"), Is.EqualTo(403));
        var page = await Assert.CatchAsync<WebSocketException>(() => App.ConnectAsync("/run", options =>
        {
            options.SetRequestHeader("Host", host);
            options.SetRequestHeader("Origin", "https://evil.example");
        }));
        Assert.That(page!.Message, Does.Contain("403"));
    }
}
