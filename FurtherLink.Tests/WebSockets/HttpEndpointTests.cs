using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FurtherLink.Tests.WebSockets;

[TestFixture]
internal sealed class HttpEndpointTests
{
    private LinkApp _app = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _app = await LinkApp.StartAsync(ScriptedServer.Echo());

    [OneTimeTearDown]
    public async Task StopAsync() => await _app.DisposeAsync();

    [TestCase("GET", "/status", 200, "OK", null)]
    [TestCase("GET", "/version", 200, "{\"version\": \"6.0.0\"}", null)]
    [TestCase("GET", "/version/apt/no-such-package", 200, "{\"version\": null}", null)]
    [TestCase("GET", "/version/apt/--help", 200, "{\"version\": null}", null)]
    [TestCase("GET", "/version/apt/libc6%20-h", 200, "{\"version\": null}", null)]
    [TestCase("GET", "/version/apt/..%2F..%2Fetc%2Fpasswd", 200, "{\"version\": null}", null)]
    [TestCase("GET", "/", 404, "404: Not Found", null)]
    [TestCase("GET", "/nothing", 404, "404: Not Found", null)]
    [TestCase("POST", "/nothing", 404, "404: Not Found", null)]
    [TestCase("OPTIONS", "/nothing", 404, "404: Not Found", null)]
    [TestCase("GET", "/status/", 404, "404: Not Found", null)]
    [TestCase("GET", "/Status", 404, "404: Not Found", null)]
    [TestCase("GET", "/version/apt", 404, "404: Not Found", null)]
    [TestCase("GET", "/version/apt/", 404, "404: Not Found", null)]
    [TestCase("GET", "/version/apt/a/b", 404, "404: Not Found", null)]
    [TestCase("POST", "/run/", 404, "404: Not Found", null)]
    [TestCase("HEAD", "/status", 405, "", "GET,OPTIONS")]
    [TestCase("HEAD", "/upload", 405, "", "OPTIONS,POST")]
    [TestCase("POST", "/status", 405, "405: Method Not Allowed", "GET,OPTIONS")]
    [TestCase("DELETE", "/version", 405, "405: Method Not Allowed", "GET,OPTIONS")]
    [TestCase("PUT", "/version/apt/x", 405, "405: Method Not Allowed", "GET,OPTIONS")]
    [TestCase("POST", "/run", 405, "405: Method Not Allowed", "GET,OPTIONS")]
    [TestCase("GET", "/upload", 405, "405: Method Not Allowed", "OPTIONS,POST")]
    [TestCase("GET", "/run", 400, "400: Bad Request", null)]
    [TestCase("GET", "/run-py", 400, "400: Bad Request", null)]
    [TestCase("OPTIONS", "/status", 403, "403: Forbidden", null)]
    [TestCase("OPTIONS", "/upload", 403, "403: Forbidden", null)]
    [TestCase("OPTIONS", "/run", 403, "403: Forbidden", null)]
    public async Task Request_WithoutOrigin_IsAnsweredAsFurtherLinkDoes(string method, string path, int status, string body, string? allow)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await _app.Http.SendAsync(request);

        Assert.That((int)response.StatusCode, Is.EqualTo(status));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(body));
        Assert.That(response.Content.Headers.ContentType?.ToString(), Is.EqualTo("text/plain; charset=utf-8"));
        Assert.That(response.Headers.GetValues("Access-Control-Allow-Private-Network"), Is.EqualTo(["true"]));
        Assert.That(response.Headers.Contains("Access-Control-Allow-Origin"), Is.False);
        Assert.That(response.Content.Headers.Allow, Is.EqualTo(allow?.Split(',') ?? []));
    }

    [Test]
    public async Task AptVersion_OfAnInstalledPackage_IsItsVersion()
    {
        Assume.That(File.Exists("/var/lib/dpkg/status"), "not a Debian system");
        Assert.That(await _app.Http.GetStringAsync("/version/apt/libc6"), Does.Match("""^\{"version": "[0-9][^"]*"\}$"""));
    }

    [Test]
    public async Task Upload_WithAHeaderThatLies_IsAnsweredAndNotAwaited()
    {
        // More is announced than may come: the answer does not wait for it.
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _app.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes("POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n{"));
        using var reader = new StreamReader(stream);
        Assert.That(await reader.ReadLineAsync().WaitAsync(LinkApp.Patience), Does.StartWith("HTTP/1.1 413 "));
    }
}
