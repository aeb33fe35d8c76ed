using System.Net.WebSockets;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Security;
using Microsoft.AspNetCore.Builder;

namespace FurtherLink.Tests.WebSockets.Admission;

internal sealed class CredentialsTests : GateFixture
{
    private static string Basic(string text) => "Authorization: Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    [TestCase("Authorization: Bearer view", "phone")]
    [TestCase("authorization: bearer view", "phone")]
    [TestCase("Basic ann:pa:ss", "ann")]
    public async Task Credentials_Right_SayWhoItIs(string header, string name)
    {
        await StartAsync(transport => transport.LoopbackAccess = false);
        using var response = await AskAsync("/watch", header.StartsWith("Basic", StringComparison.Ordinal) ? Basic(header[6..]) : header);
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(name));
        Assert.That(Tokens.Caller, Is.EqualTo(new Caller("127.0.0.1", IsLocal: true)));
    }

    [TestCase("Authorization: Bearer wrong")]
    [TestCase("Authorization: Bearer")]
    [TestCase("Authorization: Digest x")]
    [TestCase("Authorization: Basic !")]
    [TestCase("Authorization: Basic YW5u")]
    [TestCase("Authorization: Basic YW5uOndyb25n")]
    [TestCase("Authorization: Basic gDphYQ==")]
    [TestCase("Cookie: __Host-furtherlink=x")]
    public async Task Credentials_Wrong_AreRefusedAlsoWhereNoneWouldDo(string header)
    {
        await StartAsync();
        foreach (var path in new[] { "/watch", "/run", "/upload" })
        {
            using var response = await AskAsync(path, header);
            Assert.That((int)response.StatusCode, Is.EqualTo(401), path);
            Assert.That(response.Headers.WwwAuthenticate.Select(way => way.Scheme), Is.EqualTo(new[] { "Bearer", "Basic" }));
        }
    }

    [Test]
    public async Task Credentials_ShownTooOften_AreToWait()
    {
        await StartAsync();
        using var response = await AskAsync("/watch", "Authorization: Bearer often");
        Assert.That((int)response.StatusCode, Is.EqualTo(429));
        Assert.That(response.Headers.RetryAfter!.Delta, Is.GreaterThan(TimeSpan.Zero));
    }

    [TestCase("view", "own")]
    [TestCase("own", "view")]
    public async Task Credentials_TwoInOneRequest_AreRefused(string header, string protocol)
    {
        await StartAsync(transport => transport.LoopbackAccess = false);
        using var response = await AskAsync("/watch", "Authorization: Bearer " + header, "Sec-WebSocket-Protocol: furtherlink, furtherlink.token." + protocol);
        Assert.That((int)response.StatusCode, Is.EqualTo(400));
        using var twice = await AskAsync("/watch", $"Sec-WebSocket-Protocol: furtherlink.token.{header}, furtherlink.token.{protocol}");
        Assert.That((int)twice.StatusCode, Is.EqualTo(400));
        Assert.That(await SendAsync("GET /watch HTTP/1.1", "Host: localhost", "Authorization: Bearer " + header, "Authorization: Bearer " + protocol), Does.Contain("400"));
        Assert.That(Tokens.Shown, Is.Empty);
    }

    [TestCase("view", "/upload", 403)]
    [TestCase("drive", "/upload", 400)]
    [TestCase("view", "/recordings/x", 404)]
    public async Task Endpoint_ByWhatATokenMay_Answers(string token, string path, int status)
    {
        await StartAsync();
        Assert.That(await StatusAsync(path, "Authorization: Bearer " + token), Is.EqualTo(status));
    }

    [TestCase("/watch?token=own")]
    [TestCase("/run?Access_Token=own")]
    [TestCase("/status?token")]
    public async Task Token_InTheAddress_IsNeverTaken(string path)
    {
        await StartAsync(transport => transport.LoopbackAccess = false);
        using var response = await AskAsync(path);
        Assert.That((int)response.StatusCode, Is.EqualTo(400));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("Authorization: Bearer TOKEN"));
        Assert.That(Tokens.Shown, Is.Empty);
    }

    [Test]
    public async Task Token_AsSubprotocol_IsTakenAndNotGivenBack()
    {
        await StartAsync(transport => transport.LoopbackAccess = false);
        using (var socket = await App.ConnectAsync("/run", options =>
        {
            options.SetRequestHeader("Origin", App.Address.GetLeftPart(UriPartial.Authority));
            options.AddSubProtocol("furtherlink");
            options.AddSubProtocol("furtherlink.token.drive");
        }))
        {
            Assert.That(socket.SubProtocol, Is.EqualTo("furtherlink"));
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        }

        await Server.Ended;
        Assert.That(Server.Connection!.Grant, Is.EqualTo(new Grant("phone", Access.Drive) { Ended = Server.Connection.Grant.Ended }));
        Assert.That(
            async () => await App.ConnectAsync("/run", options => options.AddSubProtocol("furtherlink.token.wrong")),
            Throws.InstanceOf<WebSocketException>().With.Message.Contains("401"));
    }

    [Test]
    public async Task Nobody_OnTheNativeSockets_MaySayLaterWhoItIs([Values("/run", "/run-py")] string path)
    {
        await StartAsync(transport => transport.LoopbackAccess = false);
        using var socket = await App.ConnectAsync(path);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await Server.Ended;
        Assert.That(Server.Connection!.Principal, Is.Null);
        Assert.That(Server.Connection.Caller, Is.EqualTo(new Caller("127.0.0.1", IsLocal: true)));
    }

    [TestCase("/status", 200)]
    [TestCase("/version", 200)]
    [TestCase("/version/apt/x", 401)]
    [TestCase("/watch", 401)]
    [TestCase("/upload", 401)]
    [TestCase("/recordings/x", 401)]
    [TestCase("/socket", 401)]
    public async Task Nobody_Elsewhere_GetsWhatEverybodyMayKnow(string path, int status)
    {
        await StartAsync(transport => transport.LoopbackAccess = false, map: app => app.MapWebSocket("/socket", "further"));
        using var response = await AskAsync(path);
        Assert.That((int)response.StatusCode, Is.EqualTo(status));
        Assert.That(response.Headers.WwwAuthenticate, status == 401 ? Is.Not.Empty : Is.Empty);
    }

    [Test]
    public async Task Loopback_WithoutCredentials_IsTheUserOfThisDevice()
    {
        await StartAsync();
        using var response = await AskAsync("/watch");
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(UserAccount.Current.Name));
    }

    [Test]
    public async Task Loopback_OfAUserWhoMayNothing_IsToldOrMayShowSomethingElse()
    {
        await StartAsync();
        Tokens.RefusesUsers = true;
        using var response = await AskAsync("/watch");
        Assert.That((int)response.StatusCode, Is.EqualTo(403));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("you may not"));
        using var socket = await App.ConnectAsync();
        Assert.That(socket.State, Is.EqualTo(WebSocketState.Open));
    }

    [TestCase("X-Forwarded-For: 192.0.2.1")]
    [TestCase("X-Forwarded-Host: x")]
    [TestCase("Forwarded: for=192.0.2.1")]
    [TestCase("Via: 1.1 proxy")]
    [TestCase("X-Real-IP: 192.0.2.1")]
    [TestCase("X-Original-For: 192.0.2.1")]
    [TestCase("Host: device.example.org")]
    [TestCase("Host: 192.168.1.1")]
    public async Task Loopback_ForSomebodyElse_IsNobody(string header)
    {
        await StartAsync(transport => transport.AllowedHosts.Add("device.example.org"));
        Assert.That(await StatusAsync("/watch", header), Is.EqualTo(401));
        Assert.That(await StatusAsync("/watch", header, "Authorization: Bearer view"), Is.EqualTo(200));
    }

    [TestCase("view", 200)]
    [TestCase("none", 401)]
    public async Task User_OfTheApplicationAround_Counts(string right, int status)
    {
        var principal = new System.Security.Claims.ClaimsPrincipal(new System.Security.Claims.ClaimsIdentity([new(Rights.ClaimType, right)], "own"));
        await StartAsync(map: app => app.Use(next => context =>
        {
            context.User = principal;
            return next(context);
        }));
        Assert.That(await StatusAsync("/run", "Authorization: Bearer is-a-token-of-the-application"), Is.EqualTo(400), "the address of a WebSocket");
        Assert.That(await StatusAsync("/version/apt/x", "Authorization: Bearer is-a-token-of-the-application"), Is.EqualTo(status));
        Assert.That(Tokens.Shown, Is.Empty);
    }

    [Test]
    public async Task Request_UnderWayWhenItsTokenIsRevoked_Ends()
    {
        var began = new TaskCompletionSource();
        await StartAsync(map: app => app.MapGuarded("/slow", Access.View, async context =>
        {
            began.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        }));
        var request = AskAsync("/slow", "Authorization: Bearer view");
        await began.Task.WaitAsync(LinkApp.Patience);
        Tokens.End();
        Assert.That(async () => await request.WaitAsync(LinkApp.Patience), Throws.InstanceOf<HttpRequestException>());
        Assert.That(await StatusAsync("/watch", "Authorization: Bearer view"), Is.EqualTo(401));
    }
}
