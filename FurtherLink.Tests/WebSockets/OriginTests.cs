using System.Net;
using System.Net.WebSockets;

namespace FurtherLink.Tests.WebSockets;

[TestFixture]
internal sealed class OriginTests
{
    private const string Trusted = "https://further.pi-top.com";
    private LinkApp _app = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _app = await LinkApp.StartAsync(
        ScriptedServer.Echo(),
        transport =>
        {
            transport.TrustedOrigins.Add(Trusted);
            transport.TrustedOrigins.Add("http://localhost:3000/");
            transport.TrustedOrigins.Add("https://default-port.example:443");
        },
        core => core.MaxUpload = 1);

    [OneTimeTearDown]
    public async Task StopAsync() => await _app.DisposeAsync();

    private static IEnumerable<string> Foreign() =>
    [
        "https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "https://OWN", "http://localhost:PORT", "file://", "",
        "http://further.pi-top.com", "https://further.pi-top.com:8443", "https://further.pi-top.com.evil.example", "https://evilfurther.pi-top.com",
        "https://sub.further.pi-top.com", "http://OWN.evil.example", "http://OWN@evil.example", "http://OWN, https://evil.example",
        "https://default-port.example:80",
    ];

    private static IEnumerable<string> Allowed() =>
        [Trusted, "http://localhost:3000", "https://default-port.example", "https://FURTHER.pi-top.com"];

    private static IEnumerable<TestCaseData> Paths(IEnumerable<string> origins) =>
        from path in new[] { "/run", "/run-py", "/upload" } from origin in origins select new TestCaseData(path, origin);

    private static IEnumerable<TestCaseData> ForeignPaths() => Paths(Foreign());

    private static IEnumerable<TestCaseData> AllowedPaths() => Paths(Allowed());

    [TestCaseSource(nameof(ForeignPaths))]
    public async Task Request_OfAForeignPage_IsRefusedWithoutCors(string path, string origin)
    {
        origin = Fill(origin);
        if (path == "/upload")
        {
            using var response = await SendAsync("POST", path, origin);
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
            AssertNoCors(response);
        }
        else
        {
            using var response = await HandshakeAsync(path, origin);
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
            AssertNoCors(response);
        }
    }

    [TestCaseSource(nameof(AllowedPaths))]
    public async Task Request_OfAnAllowedPage_IsServedWithCors(string path, string origin)
    {
        origin = Fill(origin);
        using var response = path == "/upload" ? await SendAsync("POST", path, origin) : await HandshakeAsync(path, origin);
        Assert.That(response.StatusCode, Is.EqualTo(path == "/upload" ? HttpStatusCode.RequestEntityTooLarge : HttpStatusCode.SwitchingProtocols));
        AssertCors(response, origin);
    }

    [Test]
    public async Task WebSocket_OfAnAllowedPage_Opens([Values("/run", "/run-py")] string path)
    {
        using var socket = await _app.ConnectAsync(path, options => options.SetRequestHeader("Origin", Trusted));
        Assert.That(socket.State, Is.EqualTo(WebSocketState.Open));
    }

    [TestCaseSource(nameof(Foreign))]
    public async Task Status_ForAForeignPage_IsGivenWithoutCors(string origin)
    {
        using var response = await SendAsync("GET", "/status", Fill(origin));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("OK"));
        AssertNoCors(response);
    }

    [TestCase("GET", "/status", 200)]
    [TestCase("GET", "/version", 200)]
    [TestCase("GET", "/version/apt/x", 200)]
    [TestCase("HEAD", "/status", 405)]
    [TestCase("GET", "/run", 400)]
    [TestCase("POST", "/upload", 413)]
    public async Task Answer_ToAnAllowedPage_HasCorsWhateverItsStatus(string method, string path, int status)
    {
        using var response = await SendAsync(method, path, Trusted);
        Assert.That((int)response.StatusCode, Is.EqualTo(status));
        AssertCors(response, Trusted);
    }

    [TestCase("/upload", "POST")]
    [TestCase("/status", "GET")]
    [TestCase("/run", "GET")]
    public async Task Preflight_OfAnAllowedPage_AllowsWhatIsAsked(string path, string method)
    {
        using var response = await PreflightAsync(path, Trusted, method, "content-type, X-Other");
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(Header(response, "Access-Control-Allow-Origin"), Is.EqualTo(Trusted));
        Assert.That(Header(response, "Access-Control-Allow-Credentials"), Is.EqualTo("true"));
        Assert.That(Header(response, "Access-Control-Allow-Methods"), Is.EqualTo(method));
        Assert.That(Header(response, "Access-Control-Allow-Headers"), Is.EqualTo("CONTENT-TYPE,X-OTHER"));
        Assert.That(Header(response, "Access-Control-Allow-Private-Network"), Is.EqualTo("true"));
    }

    [Test]
    public async Task Preflight_WithoutHeaders_NamesNone()
    {
        using var response = await PreflightAsync("/upload", Trusted, "POST", null);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(response.Headers.Contains("Access-Control-Allow-Headers"), Is.False);
    }

    [TestCase("https://evil.example", "POST")]
    [TestCase("null", "POST")]
    [TestCase(Trusted, "DELETE")]
    [TestCase(Trusted, "post")]
    [TestCase(Trusted, null)]
    public async Task Preflight_OfAForeignPageOrForAnotherMethod_IsRefused(string origin, string? method)
    {
        using var response = await PreflightAsync("/upload", origin, method, "content-type");
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        AssertNoCors(response);
        Assert.That(response.Headers.Contains("Access-Control-Allow-Methods"), Is.False);
    }

    [Test]
    public async Task Request_WithNothingConfigured_ServesItsOwnPagesOnly()
    {
        await using var app = await LinkApp.StartAsync(ScriptedServer.Echo());
        using var own = await app.ConnectAsync("/run", options => options.SetRequestHeader("Origin", app.Address.GetLeftPart(UriPartial.Authority)));
        Assert.That(own.State, Is.EqualTo(WebSocketState.Open), "its first message may say who it is");
        Assert.That(async () => await app.ConnectAsync("/run", options => options.SetRequestHeader("Origin", Trusted)), Throws.InstanceOf<WebSocketException>());
    }

    private string Fill(string origin) => origin
        .Replace("OWN", $"127.0.0.1:{_app.Port}", StringComparison.Ordinal).Replace("PORT", $"{_app.Port}", StringComparison.Ordinal);

    private Task<HttpResponseMessage> SendAsync(string method, string path, string origin)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "POST" ? new StringContent("too much") : null };
        request.Headers.TryAddWithoutValidation("Origin", origin);
        return _app.Http.SendAsync(request);
    }

    private Task<HttpResponseMessage> PreflightAsync(string path, string origin, string? method, string? headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.TryAddWithoutValidation("Origin", origin);
        if (method is not null)
            request.Headers.TryAddWithoutValidation("Access-Control-Request-Method", method);
        if (headers is not null)
            request.Headers.TryAddWithoutValidation("Access-Control-Request-Headers", headers);
        return _app.Http.SendAsync(request);
    }

    private Task<HttpResponseMessage> HandshakeAsync(string path, string origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.Headers.TryAddWithoutValidation("Origin", origin);
        return _app.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static void AssertNoCors(HttpResponseMessage response)
    {
        Assert.That(Header(response, "Access-Control-Allow-Private-Network"), Is.EqualTo("true"));
        Assert.That(response.Headers.Contains("Access-Control-Allow-Origin"), Is.False);
        Assert.That(response.Headers.Contains("Access-Control-Allow-Credentials"), Is.False);
    }

    private static void AssertCors(HttpResponseMessage response, string origin)
    {
        Assert.That(Header(response, "Access-Control-Allow-Origin"), Is.EqualTo(origin));
        Assert.That(Header(response, "Access-Control-Allow-Credentials"), Is.EqualTo("true"));
        Assert.That(Header(response, "Access-Control-Expose-Headers").Split(','), Does.Contain("Access-Control-Allow-Private-Network"));
        Assert.That(Header(response, "Access-Control-Allow-Private-Network"), Is.EqualTo("true"));
    }

    private static string Header(HttpResponseMessage response, string name) => string.Join(", ", response.Headers.GetValues(name));
}
