using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Tests.Portacode.Gateways;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>The executable as the device behind a gateway.</summary>
internal sealed class ConnectTests
{
    private TemporaryFolder _folder = null!;
    private TestGateway? _gateway;

    private string State => _folder["state/furtherlink"];

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public async Task TearDown()
    {
        if (_gateway is not null)
            await _gateway.DisposeAsync();
        _gateway = null;
        await Patience.UntilAsync(() => !Directory.Exists(State) || !Directory.EnumerateFiles(State, "hold.sock", SearchOption.AllDirectories).Any(), "the holders' end");
        _folder.Dispose();
    }

    [Test]
    public async Task Device_Accepted_SaysWhoItIsAndThatItIsConnected()
    {
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(TestGateway.DrainAsync));
        await using var device = await HostProcess.ServeAsync(_folder.Path, $"connect --gateway {new UriBuilder(_gateway.Address) { UserName = "me", Password = "secret", Query = "token=secret" }}");
        Assert.That(device.Output, Does.Contain($"  {_gateway.Address}\n").And.Not.Contain("secret").And.Contain($"{State}/keys/id_portacode.pub").And.Contain("\nConnected.\n"));
        Assert.That(device.Output, Does.Match("\nKey [0-9a-f]{16}\n"));
        Assert.That(File.GetUnixFileMode($"{State}/keys/id_portacode"), Is.EqualTo((UnixFileMode)0b110_000_000));
        Assert.That(File.GetUnixFileMode(State), Is.EqualTo((UnixFileMode)0b111_000_000));
        Assert.That(Listening(Environment.ProcessId), Is.GreaterThan(0), "the gateway's");
        Assert.That(Listening(device.Id), Is.Zero, "no port is open");
    }

    [Test]
    public async Task Gateway_InTheVariable_IsDialled()
    {
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(TestGateway.DrainAsync));
        await using var device = await HostProcess.ServeAsync(
            _folder.Path, "connect --key-dir mine", new Dictionary<string, string?> { ["PORTACODE_GATEWAY"] = _gateway.Address.ToString() });
        Assert.That(device.Output, Does.Contain("\nConnected.\n").And.Contain(_folder["mine/id_portacode.pub"]));
    }

    [Test]
    public async Task Gateway_OverTls_IsDialledWhereItsCertificateIsTrusted([Values] bool isTrusted)
    {
        using var key = RSA.Create(2048);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        var request = new CertificateRequest("CN=gateway", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        _folder.Write("trusted/gateway.pem", isTrusted ? certificate.ExportCertificatePem() : "");
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(TestGateway.DrainAsync), certificate);
        await using var device = await HostProcess.ServeAsync(
            _folder.Path, $"connect --gateway {_gateway.Address}", new Dictionary<string, string?> { ["SSL_CERT_FILE"] = _folder["trusted/gateway.pem"] });
        Assert.That(_gateway.Address.Scheme, Is.EqualTo("wss"));
        Assert.That(device.Output, isTrusted ? Does.Contain("\nConnected.\n") : Does.Contain("\nWaiting: The remote certificate is invalid"));
    }

    [Test]
    public async Task Gateway_NotSaid_IsAskedForWithExitCode2()
    {
        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, "connect");
        Assert.That((code, output), Is.EqualTo((2, "")));
        Assert.That(errors, Does.StartWith("furtherlink: Portacode:GatewayUrl: ").And.Contain("--gateway"));
    }

    [Test]
    public async Task Gateway_NotThere_IsWaitedFor()
    {
        using var free = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        free.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var device = await HostProcess.ServeAsync(_folder.Path, $"connect --gateway ws://127.0.0.1:{((IPEndPoint)free.LocalEndPoint!).Port}/");
        Assert.That(device.Output, Does.Contain("\nWaiting: Connection refused").And.Contain("attempts go on"));
        device.Signal("INT");
        Assert.That(await device.ExitAsync(), Is.Zero);
    }

    [Test]
    public async Task Key_Rejected_EndsWithStatus86AndSaysWhatToDo()
    {
        _gateway = await RejectingAsync();
        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, $"connect --gateway {_gateway.Address}");
        var fingerprint = output.Split('\n').Single(line => line.StartsWith("Key ", StringComparison.Ordinal))[4..];
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(86));
            Assert.That(output, Does.Contain("Rejected: unknown device. Register the key"));
            Assert.That(errors, Does.Contain(fingerprint).And.Contain("unknown device").And.Contain("Register the key").And.Contain("id_portacode.pub"));
            Assert.That(_gateway.Connections, Is.EqualTo(1));
            Assert.That(output + errors, Does.Not.Contain("PRIVATE"));
        });
    }

    [Test]
    public async Task Key_RejectedAndToBeRetried_GoesOn()
    {
        _gateway = await RejectingAsync();
        await using var device = await HostProcess.ServeAsync(
            _folder.Path, $"connect --gateway {_gateway.Address}", new Dictionary<string, string?> { ["FurtherLink__Portacode__OnRejected"] = "Retry" });
        Assert.That(device.Output, Does.Contain("\nRejected: unknown device. Register the key with the gateway; attempts go on.\n"));
    }

    [Test]
    public async Task Key_Broken_IsNamedWithExitCode2()
    {
        _folder.Write("mine/id_portacode", "no key");
        _folder.Write("mine/id_portacode.pub", "no key");
        var (code, _, errors) = await HostProcess.RunAsync(_folder.Path, "connect --gateway ws://127.0.0.1:9/ --key-dir mine");
        Assert.That(code, Is.EqualTo(2));
        Assert.That(errors, Does.StartWith("furtherlink: Portacode:KeyDirectory: ").And.Contain(_folder["mine/id_portacode"]).And.Contain("is no RSA private key"));
    }

    [TestCase("TERM")]
    [TestCase("INT")]
    public async Task Stop_ByASignal_EndsTerminalsAndAllWithinTwoSeconds(string signal)
    {
        var started = new TaskCompletionSource<int>();
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(async (socket, stop) =>
        {
            started.TrySetResult(await StartTerminalAsync(socket, stop));

            // Deaf from now on, and without a goodbye.
            await Task.Delay(Timeout.Infinite, stop);
        }));
        await using var device = await HostProcess.ServeAsync(_folder.Path, $"connect --gateway {_gateway.Address}");
        var pid = await started.Task.WaitAsync(Patience.Long);
        var since = Stopwatch.GetTimestamp();
        device.Signal(signal);
        Assert.That(await device.ExitAsync(), Is.Zero);
        await TestContext.Out.WriteLineAsync($"{Stopwatch.GetElapsedTime(since).TotalSeconds:0.00} s");
        Assert.That(Stopwatch.GetElapsedTime(since), Is.LessThan(TimeSpan.FromSeconds(SoakSize.Of(shortForm: 6, longForm: 2))), "2 s, and what a busy machine adds");
        Assert.That(Directory.Exists($"/proc/{pid}"), Is.False);
    }

    [Test]
    public async Task Restart_OfADevice_KeepsItsTerminals()
    {
        var pids = new List<int>();
        var listed = new TaskCompletionSource<JsonNode>();
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(async (socket, stop) =>
        {
            if (pids.Count == 0)
                pids.Add(await StartTerminalAsync(socket, stop));
            else
                listed.TrySetResult(await TestGateway.UntilAsync(socket, "terminal_list", stop));
            await TestGateway.DrainAsync(socket, stop);
        }));
        await using var device = await HostProcess.ServeAsync(_folder.Path, $"connect --gateway {_gateway.Address}");
        await Patience.UntilAsync(() => pids.Count == 1, "the terminal");

        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, $"restart --gateway {_gateway.Address}");
        Assert.That((code, errors), Is.EqualTo((0, "")));
        Assert.That(output, Does.EndWith($"Restarted, still process {device.Id}; 1 program went on.\n"));
        var rows = (await listed.Task.WaitAsync(Patience.Long))["sessions"]!.AsArray();
        Assert.That(rows.Select(row => (int)row!["pid"]!), Is.EqualTo(pids));
        device.Forget();
        await device.ReadUntilAsync("Ctrl-C");
        device.Signal("TERM");
        Assert.That(await device.ExitAsync(), Is.Zero);
        Assert.That(Directory.Exists($"/proc/{pids[0]}"), Is.False, "a stop ends what a restart keeps");
    }

    [Test]
    public async Task Crash_OfADevice_LosesNeitherATerminalNorItsOutput()
    {
        var before = new TaskCompletionSource<(int Pid, string Id, long Next)>();
        var after = new TaskCompletionSource<(JsonNode Row, long First)>();
        var output = new StringBuilder();
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(async (socket, stop) =>
        {
            var list = await TestGateway.UntilAsync(socket, "terminal_list", stop);
            await TestGateway.SendAsync(socket, """{"channel":0,"payload":{"cmd":"client_sessions_update","sessions":[{"channel_name":"A","connection_type":"dashboard"}]}}""", stop);
            if (!before.Task.IsCompleted)
            {
                await TestGateway.SendAsync(socket, """{"channel":0,"payload":{"cmd":"terminal_start","shell":"/bin/sh","source_client_session":"A"}}""", stop);
                var started = await TestGateway.UntilAsync(socket, "terminal_started", stop);
                var id = (string)started["terminal_id"]!;
                await TestGateway.SendAsync(socket, new JsonObject { ["channel"] = id, ["payload"] = "stty -echo; PS1=; seq 1 30000; read x; echo la''st\n" }.ToJsonString(), stop);
                JsonNode data;
                do
                {
                    data = await TestGateway.UntilAsync(socket, "terminal_data", stop);
                    output.Append((string)data["data"]!);
                }
                while (!output.ToString().Contains("\n20000\r\n", StringComparison.Ordinal));
                before.SetResult(((int)started["pid"]!, id, (long)data["next_offset"]!));
                await TestGateway.DrainAsync(socket, stop);
                return;
            }

            var row = list["sessions"]!.AsArray().Single()!;
            await TestGateway.SendAsync(socket, new JsonObject { ["channel"] = (string)row["terminal_id"]!, ["payload"] = "\n" }.ToJsonString(), stop);
            long? first = null;
            while (!output.ToString().Contains("last\r\n", StringComparison.Ordinal))
            {
                var data = await TestGateway.UntilAsync(socket, "terminal_data", stop);
                var offset = (long)data["offset"]!;
                if (first is null)
                {
                    // What was under way when the device died came twice, or is fetched; the output is ASCII.
                    first = offset;
                    output.Length -= (int)Math.Max(0, before.Task.Result.Next - offset);
                }

                output.Append((string)data["data"]!);
            }

            after.SetResult((row, first!.Value));
            await TestGateway.DrainAsync(socket, stop);
        }));
        var device = await HostProcess.ServeAsync(_folder.Path, $"connect --gateway {_gateway.Address}");
        var (pid, terminal, next) = await before.Task.WaitAsync(Patience.Long);
        device.Signal("KILL");
        await device.ExitAsync();
        await using var again = await HostProcess.ServeAsync(_folder.Path, $"connect --gateway {_gateway.Address}");
        var (row, first) = await after.Task.WaitAsync(Patience.Long);
        Assert.That(((int)row["pid"]!, (string?)row["terminal_id"]), Is.EqualTo((pid, terminal)));
        Assert.That(first, Is.LessThanOrEqualTo(next), "nothing is lost");
        var lines = output.ToString().Split("\r\n");
        var begin = Array.LastIndexOf(lines, "1");
        Assert.That(lines.Skip(begin).Take(30_000), Is.EqualTo(Enumerable.Range(1, 30_000).Select(number => number.ToString(CultureInfo.InvariantCulture))));
        again.Signal("TERM");
        await again.ExitAsync();
        await device.DisposeAsync();
    }

    [Test]
    public async Task Restart_WhereNoDeviceRuns_SaysSo()
    {
        var (code, _, errors) = await HostProcess.RunAsync(_folder.Path, "restart --gateway ws://127.0.0.1:9/");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(errors, Does.Contain("no device with the key in").And.Contain("furtherlink connect"));
    }

    [Test]
    public async Task Devices_BesideEachOtherAndAServer_HaveHoldersOfTheirOwn()
    {
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(async (socket, stop) =>
        {
            await StartTerminalAsync(socket, stop);
            await TestGateway.DrainAsync(socket, stop);
        }));
        await using var server = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls");
        await using var one = await HostProcess.ServeAsync(_folder.Path, $"connect --gateway {_gateway.Address}");
        await using var two = await HostProcess.ServeAsync(_folder.Path, $"connect --gateway {_gateway.Address} --key-dir other");
        var (code, _, errors) = await HostProcess.RunAsync(_folder.Path, $"connect --gateway {_gateway.Address}");
        Assert.That(code, Is.EqualTo(2));
        Assert.That(errors, Does.Contain($"process {one.Id} is the device with this key behind this gateway already"));

        await Patience.UntilAsync(() => Directory.EnumerateFiles(State, "hold.sock", SearchOption.AllDirectories).Count() == 2, "two holders");
        Assert.That(File.Exists($"{State}/hold.sock"), Is.False);
        foreach (var device in new[] { one, two, server })
        {
            device.Signal("TERM");
            Assert.That(await device.ExitAsync(), Is.Zero);
            Assert.That(await device.ErrorsAsync(), Does.Not.Contain("will not survive"));
        }
    }

    [Test]
    public async Task Server_ThatGatewaysMayDial_ServesThem()
    {
        await using var server = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls --portacode");
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri(new UriBuilder(server.Address) { Scheme = "ws" }.Uri, "/portacode"), default);
        await TestGateway.AuthenticateAsync(socket, default);
        Assert.That(await TestGateway.UntilAsync(socket, "terminal_list", default).WaitAsync(Patience.Long), Is.Not.Null);
    }

    [Test]
    public async Task Server_WithoutTheOption_HasNoSuchAddress()
    {
        await using var server = await HostProcess.ServeAsync(_folder.Path, "--port 0 --no-tls");
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(server.Address, "/portacode"));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    private static Task<TestGateway> RejectingAsync() => TestGateway.StartAsync(static async (socket, stop) =>
    {
        await TestGateway.ReceiveAsync(socket, stop);
        await TestGateway.SendAsync(socket, "unknown device", stop);
    });

    /// <summary>Starts a terminal.</summary>
    /// <returns>Its process id.</returns>
    private static async Task<int> StartTerminalAsync(WebSocket socket, CancellationToken stop)
    {
        await TestGateway.SendAsync(socket, """{"channel":0,"payload":{"cmd":"terminal_start","shell":"/bin/cat","reply_channel":"A"}}""", stop);
        return (int)(await TestGateway.UntilAsync(socket, "terminal_started", stop))["pid"]!;
    }

    /// <summary>How many of a process's TCP sockets listen (proc(5): state 0A).</summary>
    private static int Listening(int pid)
    {
        var own = Directory.GetFileSystemEntries($"/proc/{pid}/fd").Select(Target).ToHashSet(StringComparer.Ordinal);
        return new[] { "tcp", "tcp6" }.SelectMany(name => File.ReadLines($"/proc/{pid}/net/{name}")).Skip(1)
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Count(fields => fields[3] == "0A" && own.Contains($"socket:[{fields[9]}]"));
    }

    private static string Target(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, returnFinalTarget: false)?.Name ?? "";
        }
        catch (IOException)
        {
            // Closed meanwhile.
            return "";
        }
    }
}
