using System.Net.WebSockets;

namespace FurtherLink.Tests.WebSockets.Admission;

internal sealed class PageTests : GateFixture
{
    private const string Bearer = "Authorization: Bearer own";

    [TestCase("Origin: OWN")]
    [TestCase("Origin: https://allowed.example")]
    [TestCase("Sec-Fetch-Site: same-origin")]
    public async Task Page_OwnOrAllowed_ShowsCredentials(string header)
    {
        await StartAsync(transport => transport.AllowedOrigins.Add("https://allowed.example"));
        Assert.That(await StatusAsync("/watch", Own(header)), Is.EqualTo(401));
        Assert.That(await StatusAsync("/watch", Own(header), Bearer), Is.EqualTo(200));
    }

    [TestCase("Origin: https://trusted.example")]
    [TestCase("Origin: https://trusted.example", "Sec-Fetch-Site: cross-site")]
    [TestCase("Sec-Fetch-Site: none")]
    public async Task Page_TrustedOrNone_NeedsNoneOnThisDevice(params string[] headers)
    {
        await StartAsync(transport => transport.TrustedOrigins.Add("https://trusted.example"));
        Assert.That(await StatusAsync("/watch", headers), Is.EqualTo(200));
    }

    [Test]
    public async Task Page_OwnAndTrusted_NeedsNoneOnThisDevice()
    {
        await StartAsync(transport => transport.TrustedOrigins.Add("http://own.localhost"));
        Assert.That(await StatusAsync("/watch", "Host: own.localhost", "Sec-Fetch-Site: same-origin"), Is.EqualTo(200));
        Assert.That(await StatusAsync("/watch", "Host: other.localhost", "Sec-Fetch-Site: same-origin"), Is.EqualTo(401));
    }

    [TestCase("Origin: https://foreign.example")]
    [TestCase("Origin: null")]
    [TestCase("Sec-Fetch-Site: cross-site")]
    [TestCase("Sec-Fetch-Site: same-site")]
    [TestCase("Sec-Fetch-Site: anything")]
    public async Task Page_Foreign_IsRefusedWhateverItShows(string header)
    {
        await StartAsync();
        foreach (var path in new[] { "/watch", "/run", "/version/apt/x", "/recordings/x", "/upload", "/login", "/logout", "/pair" })
            Assert.That(await StatusAsync(path, header, Bearer), Is.EqualTo(403), path);
        Assert.That(await StatusAsync("/status", header), Is.EqualTo(200));
    }

    [Test]
    public async Task Page_NamingSeveralOrigins_IsRefused()
    {
        await StartAsync(transport => transport.TrustedOrigins.Add("https://trusted.example"));
        string[] lines = ["GET /watch HTTP/1.1", "Host: localhost", "Connection: close", "Origin: https://trusted.example"];
        Assert.That(await SendAsync(lines), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await SendAsync([.. lines, "Origin: https://trusted.example"]), Does.StartWith("HTTP/1.1 403 "));
    }

    [Test]
    public async Task Refusal_ForAPageThatMayAsk_CanBeRead()
    {
        await StartAsync(transport => transport.AllowedOrigins.Add("https://allowed.example"));
        using var response = await AskAsync("/watch", "Origin: https://allowed.example", "Sec-Fetch-Mode: cors");
        Assert.That(response.Headers.GetValues("Access-Control-Allow-Origin"), Is.EqualTo(new[] { "https://allowed.example" }));
        Assert.That(response.Headers.WwwAuthenticate.Select(way => way.Scheme), Is.EqualTo(new[] { "Bearer" }), "a page asks its person itself");
    }

    [Test]
    public async Task Everything_LegacyOpen_IsForAnybodyAsNobodyElse()
    {
        await StartAsync(transport => transport.LegacyOpen = true);
        using var watched = await AskAsync("/watch", "Host: evil.example", "Origin: null", "X-Forwarded-For: 192.0.2.1");
        Assert.That(await watched.Content.ReadAsStringAsync(), Is.EqualTo("anyone"));
        Assert.That(watched.Headers.GetValues("Access-Control-Allow-Origin"), Is.EqualTo(new[] { "null" }));
        using var socket = await App.ConnectAsync("/run?token=x", options => options.SetRequestHeader("Origin", "https://evil.example"));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await Server.Ended;
        Assert.That(Server.Connection!.Grant.Users, Is.Empty);

        using var status = await AskAsync("/status");
        Assert.That(await status.Content.ReadAsStringAsync(), Is.EqualTo("OK"));
        Assert.That(status.Headers.GetValues("FurtherLink-Warning").Single(), Does.Contain("LegacyOpen"));
        using var json = await AskAsync("/status", "Accept: application/json");
        Assert.That(await json.Content.ReadAsStringAsync(), Does.StartWith("""{"status":"OK","warnings":["LegacyOpen """));
    }

    [Test]
    public async Task Status_Closed_HasNoWarning()
    {
        await StartAsync();
        using var status = await AskAsync("/status", "Accept: application/json");
        Assert.That(await status.Content.ReadAsStringAsync(), Is.EqualTo("""{"status":"OK","warnings":[]}"""));
        Assert.That(status.Headers.Contains("FurtherLink-Warning"), Is.False);
    }

    private string Own(string header) => header.Replace("OWN", $"http://127.0.0.1:{App.Port}", StringComparison.Ordinal);
}
