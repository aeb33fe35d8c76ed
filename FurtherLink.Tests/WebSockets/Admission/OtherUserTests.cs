using System.Diagnostics;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Security;
using FurtherLink.Security.Tokens;
using FurtherLink.Tests.Device;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.WebSockets.Admission;

/// <summary>Programs of other users of this device, without credentials: the system says whose they are.</summary>
[TestFixture]
internal sealed class OtherUserTests
{
    // A WebSocket by hand (RFC 6455): a start with "id -un", and what is printed until the program has ended.
    private const string Client = """
        import socket, sys
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        s.sendall(("GET /run%s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" % sys.argv[2] +
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
        m = b'{"type":"start","process":"1","data":{"runner":"exec","code":"#!/bin/sh\\nid -un"}}'
        s.sendall(bytes([0x81, 0x80 | len(m), 0, 0, 0, 0]) + m)
        seen = b""
        while b'"stopped"' not in seen and b'"error"' not in seen:
            part = s.recv(65536)
            if not part:
                break
            seen += part
        print(seen.decode(errors="replace"))
        """;

    [OneTimeSetUp]
    public void SetUp()
    {
        if (UserAccount.Current.Uid != 0)
            Assert.Ignore($"only root can be another user, and the tests run as uid {UserAccount.Current.Uid}");
        if (!File.Exists("/usr/bin/setpriv") || !File.Exists("/usr/bin/curl"))
            Assert.Ignore("this machine has no setpriv or no curl");
    }

    [Test]
    public async Task Program_RunsAsItsOwnUserAlone()
    {
        await using var host = new TestHost(configure: options => options.TempDirectory = "/tmp");
        var port = (await host.ListenAsync("http")).Port.ToString();
        Assert.That(await RunAsync("/usr/bin/python3", "-c", Client, port, ""), Does.Contain("""{"output": "daemon\n"}"""));
        Assert.That(await RunAsync("/usr/bin/python3", "-c", Client, port, "?user=root"), Does.Contain("\"error\"").And.Contain("is not allowed to daemon"));
    }

    [Test]
    public async Task Upload_IsOfItsOwnUserAlone()
    {
        await using var host = new TestHost();
        var address = await host.ListenAsync("http");
        string[] post = ["curl", "-s", "-w", "%{http_code}", "-d", """{"name":"p","files":{"a":{"type":"text","content":{"text":"x"}}}}"""];
        Assert.That(await RunAsync([.. post, $"{address}upload?user=root"]), Does.EndWith("403").And.Contain("is not allowed to daemon"));
        Assert.That(await RunAsync([.. post, $"{address}upload"]), Does.EndWith("200"));
        Assert.That(await RunAsync("stat", "-c", "%U", Path.Combine(host.Folder, "work/p/a")), Is.EqualTo("daemon\n"));
    }

    [Test]
    public async Task Upload_OfAnAddressOfThisServer_HasNobodysRights()
    {
        // What the server fetches for a client it asks for as root.
        await using var host = new TestHost();
        var address = await host.ListenAsync("http");
        await using var client = await host.ConnectWebSocketAsync();
        await client.SendAsync("start", "1", new { runner = "exec", code = "#!/bin/sh\nread line", session = new { name = "mine" } });
        await client.UntilAsync("started", "1");
        foreach (var (path, status) in new[] { ("status", "200"), ("recordings/mine", "500"), ("version/apt/bash", "500") })
        {
            var file = $$"""{"type":"url","content":{"url":"{{address}}{{path}}","bucketName":"b","fileName":"{{path}}"} }""";
            var upload = $$"""{"name":"p","files":{"a":{{file}} } }""";
            Assert.That(await RunAsync("curl", "-s", "-w", "%{http_code}", "-d", upload, $"{address}upload"), Does.EndWith(status), path);
        }
    }

    [Test]
    public async Task Recording_OfAnother_IsNotThere()
    {
        await using var host = new TestHost();
        var address = await host.ListenAsync("http");
        await using var client = await host.ConnectWebSocketAsync();
        await client.SendAsync("start", "1", new { runner = "exec", code = "#!/bin/sh\nread line", session = new { name = "mine" } });
        await client.UntilAsync("started", "1");
        Assert.That(await RunAsync("curl", "-s", $"{address}recordings/mine"), Does.StartWith("404"));
        using var own = new HttpClient();
        Assert.That(await own.GetStringAsync(new Uri(address, "recordings/mine")), Does.StartWith("{\"version\""));
    }

    [Test]
    public async Task Cookie_OfALoginOfAnother_LetsNobodyIn()
    {
        using var folder = new TemporaryFolder();
        await using var host = new TestHost(builder => builder.Services.Configure<AccessOptions>(access => access.TokenFile = folder["tokens.json"]));
        var address = await host.ListenAsync("http");
        var token = host.Get<TokenStore>().Add("browser", Access.Own).Text;
        using var browser = new HttpClient { BaseAddress = address };
        using var login = await browser.PostAsync("login", new StringContent($$"""{"token":"{{token}}"}""", Encoding.UTF8, "application/json"));
        var cookie = login.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        string[] ask = ["curl", "-s", "-w", "%{http_code}", "-H", "Cookie: " + cookie];

        // What a server on another port of localhost gets of a browser.
        Assert.That(await RunAsync([.. ask, $"{address}version/apt/bash"]), Does.EndWith("401").And.Contain("logged out"));
        Assert.That(await RunAsync([.. ask, "-X", "POST", $"{address}logout"]), Is.EqualTo("204"));
        using var own = new HttpRequestMessage(HttpMethod.Get, "version/apt/bash") { Headers = { { "Cookie", cookie } } };
        using var answer = await browser.SendAsync(own);
        Assert.That((int)answer.StatusCode, Is.EqualTo(200), "nobody else can log it out");
    }

    [Test]
    public async Task FetchedFiles_OfAnother_AreNotUsed()
    {
        await using var host = new TestHost();
        var address = await host.ListenAsync("http");
        var work = Path.Combine(host.Folder, "work");
        string Upload(string name) => $$"""{"name":"{{name}}","files":{"a":{"type":"url","content":{"url":"{{address}}status","bucketName":"b","fileName":"f"} } } }""";
        Assert.That(await RunAsync("curl", "-s", "-w", "%{http_code}", "-d", Upload("theirs"), $"{address}upload"), Does.EndWith("200"));
        Assert.That(await RunAsync("sh", "-c", $"echo evil > {work}/theirs/a; cat {work}/theirs/a"), Is.EqualTo("evil\n"));

        using var own = new HttpClient();
        using var answer = await own.PostAsync(new Uri(address, "upload"), new StringContent(Upload("mine"), Encoding.UTF8, "application/json"));
        Assert.That((int)answer.StatusCode, Is.EqualTo(200));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(work, "mine/a")), Does.Not.Contain("evil").And.Not.Empty);

        // A folder that somebody else has put there before is not used either.
        Directory.Delete(Path.Combine(work, ".flcache"), recursive: true);
        Directory.CreateDirectory(Path.Combine(work, ".flcache/b"));
        Assert.That(Shell.Run(work, "chown -R daemon .flcache"), Is.Zero);
        using var refused = await own.PostAsync(new Uri(address, "upload"), new StringContent(Upload("mine"), Encoding.UTF8, "application/json"));
        Assert.That((int)refused.StatusCode, Is.EqualTo(500));
        Assert.That(File.Exists(Path.Combine(work, ".flcache/b/f")), Is.False);
    }

    private static async Task<string> RunAsync(params string[] command)
    {
        var start = new ProcessStartInfo("setpriv") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["--reuid=daemon", "--regid=daemon", "--clear-groups", "--", .. command])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience.Long);
        return output + await errors;
    }
}
