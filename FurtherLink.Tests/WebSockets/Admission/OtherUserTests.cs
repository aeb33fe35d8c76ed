using System.Diagnostics;
using FurtherLink.Processes;
using FurtherLink.Tests.Support;

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
