using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Gateways;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Portacode.Gateways;

[TestFixture]
internal sealed class GatewayConnectorTests
{
    private TemporaryFolder _folder = null!;
    private TestGateway? _gateway;
    private TestHost? _device;

    private GatewayStatus Status => _device!.Get<GatewayStatus>();

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        using var openssl = System.Security.Cryptography.RSA.Create(1024);
        _folder.Write("keys/id_portacode", openssl.ExportRSAPrivateKeyPem());
    }

    [TearDown]
    public async Task TearDown()
    {
        if (_device is not null)
            await _device.DisposeAsync();
        if (_gateway is not null)
            await _gateway.DisposeAsync();
        _device = null;
        _gateway = null;
        _folder.Dispose();
    }

    [Test]
    public async Task Gateway_ThatTakesTheDevice_IsServed()
    {
        var answered = new TaskCompletionSource<JsonNode>();
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(async (socket, stop) =>
        {
            await AskAsync(socket, "no_such_thing", stop);
            answered.SetResult(await TestGateway.UntilAsync(socket, "error", stop));
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", stop);
            await TestGateway.DrainAsync(socket, stop);
        }));
        await StartDeviceAsync(_gateway.Address);
        await Status.WaitAsync(report => report.State is GatewayState.Connected).WaitAsync(Patience.Long);
        Assert.That((string?)(await answered.Task.WaitAsync(Patience.Long))["message"], Is.EqualTo("Unknown cmd: no_such_thing"));
        Assert.That(_gateway.Requests.First().Keys, Does.Not.Contain("Sec-WebSocket-Extensions").And.Not.Contain("Sec-WebSocket-Protocol"));
    }

    [Test]
    public async Task Message_OfSeveralMegabytes_IsTaken_AndALongerOneEndsTheConnection()
    {
        var closed = new TaskCompletionSource<WebSocketCloseStatus?>();
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(async (socket, stop) =>
        {
            await AskAsync(socket, "long_one", stop, new string('x', 6 * 1024 * 1024));
            await TestGateway.UntilAsync(socket, "error", stop);
            await TestGateway.SendAsync(socket, new string('x', (8 * 1024 * 1024) + 1), stop);
            await TestGateway.DrainAsync(socket, stop);
            closed.TrySetResult(socket.CloseStatus);
        }));
        await StartDeviceAsync(_gateway.Address);
        Assert.That(await closed.Task.WaitAsync(Patience.Long), Is.EqualTo(WebSocketCloseStatus.MessageTooBig));
        await Patience.UntilAsync(() => _gateway.Connections > 1, "the next connection");
    }

    [Test]
    public async Task Terminal_OfALostConnection_IsThereOnTheNext()
    {
        var listed = new TaskCompletionSource<JsonNode>();
        string? terminal = null;
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(async (socket, stop) =>
        {
            if (terminal is null)
            {
                await TestGateway.SendAsync(socket, """{"channel":0,"payload":{"cmd":"terminal_start","shell":"/bin/cat"}}""", stop);
                terminal = (string?)(await TestGateway.UntilAsync(socket, "terminal_started", stop))["terminal_id"];
                socket.Abort();
                return;
            }

            listed.TrySetResult(await TestGateway.UntilAsync(socket, "terminal_list", stop));
            await TestGateway.DrainAsync(socket, stop);
        }));
        await StartDeviceAsync(_gateway.Address);
        var list = await listed.Task.WaitAsync(Patience.Long);
        Assert.That(list["sessions"]!.AsArray().Select(row => (string?)row!["terminal_id"]), Is.EqualTo(new[] { terminal }));
    }

    [Test]
    public async Task Gateway_ThatSaysOkAndCloses_IsDialledAfterPausesOnly()
    {
        var time = new ManualTimeProvider();
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(static (_, _) => Task.CompletedTask));
        await StartDeviceAsync(_gateway.Address, static _ => { }, time);
        for (var attempt = 1; attempt <= 30; attempt++)
        {
            await Patience.UntilAsync(() => _gateway.Connections == attempt, $"attempt {attempt}");
            await Status.WaitAsync(report => report.State is GatewayState.Waiting && report.Why.Length > 0).WaitAsync(Patience.Long);

            // The shortest wait there is has 0.25 s.
            time.Advance(TimeSpan.FromSeconds(0.24));
            Assert.That(_gateway.Connections, Is.EqualTo(attempt));
            await Patience.UntilAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromSeconds(1));
                    return _gateway.Connections > attempt;
                }, "another attempt");
        }
    }

    [Test]
    public async Task Gateway_ThatIsNotThere_IsToldInWords()
    {
        using var free = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        free.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await StartDeviceAsync(new Uri($"ws://127.0.0.1:{((IPEndPoint)free.LocalEndPoint!).Port}/gateway"));
        var report = await Status.WaitAsync(report => report.Why.Length > 0).WaitAsync(Patience.Long);
        Assert.That(report.State, Is.EqualTo(GatewayState.Waiting));
        Assert.That(report.Why, Does.Contain("refused"));
        Assert.That(report.IsLast, Is.False);
    }

    [Test]
    public async Task Gateway_ThatIsNoWebSocket_IsToldInWords()
    {
        await using var web = new TestHost();
        var address = await web.ListenAsync("ws");
        await StartDeviceAsync(new Uri(address, "/status"));
        var report = await Status.WaitAsync(report => report.Why.Length > 0).WaitAsync(Patience.Long);
        Assert.That(report.Why, Does.Contain("200"));
    }

    [Test]
    public async Task Gateway_ThatNeverAnswersTheRequest_IsGivenUpAfterAStepsTime()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await StartDeviceAsync(
            new Uri($"ws://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/"), options => options.HandshakeTimeout = TimeSpan.FromMilliseconds(50));
        var report = await Status.WaitAsync(report => report.Why.Length > 0).WaitAsync(Patience.Long);
        Assert.That(report.Why, Is.EqualTo("it did not answer within 0.05 s"));
    }

    [Test]
    public async Task Link_HalfOpen_IsFoundOutAndDialledAgain([Values] bool withOutput)
    {
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(async (socket, stop) =>
        {
            if (withOutput)
                await TestGateway.SendAsync(socket, """{"channel":0,"payload":{"cmd":"terminal_start","shell":"/usr/bin/yes"}}""", stop);
            await TestGateway.DrainAsync(socket, stop);
        }));
        await using var proxy = new StallingProxy(_gateway.Address.Port);
        await StartDeviceAsync(new UriBuilder(_gateway.Address) { Port = proxy.Port }.Uri, options =>
        {
            options.MinBackoff = options.MaxBackoff = TimeSpan.FromMilliseconds(1);
            options.KeepAliveInterval = TimeSpan.FromMilliseconds(200);
            options.KeepAliveTimeout = TimeSpan.FromMilliseconds(500);
        });
        for (var stalls = 1; stalls <= 2; stalls++)
        {
            await Patience.UntilAsync(() => _gateway.Connections == stalls, $"connection {stalls}");
            await Status.WaitAsync(report => report.State is GatewayState.Connected).WaitAsync(Patience.Long);
            proxy.Stall();
            await Patience.UntilAsync(() => _gateway.Connections > stalls, "the next connection");
        }
    }

    [Test]
    public async Task Key_Rejected_IsTheEnd()
    {
        _gateway = await TestGateway.StartAsync(static async (socket, stop) =>
        {
            await TestGateway.ReceiveAsync(socket, stop);
            await TestGateway.SendAsync(socket, "unknown device", stop);
        });
        await StartDeviceAsync(_gateway.Address);
        var report = await Status.WaitAsync(report => report.State is GatewayState.Rejected).WaitAsync(Patience.Long);
        Assert.That(report, Is.EqualTo(new GatewayReport(GatewayState.Rejected, "unknown device", IsLast: true)));
        await _device!.StopAsync();
        Assert.That(_gateway.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task Key_RejectedAndToBeRetried_IsTakenOnceItIsRegistered()
    {
        var time = new ManualTimeProvider();
        var rejections = 0;
        _gateway = await TestGateway.StartAsync(async (socket, stop) =>
        {
            if (rejections++ < 3)
            {
                await TestGateway.ReceiveAsync(socket, stop);
                await TestGateway.SendAsync(socket, "unknown device", stop);
                return;
            }

            await TestGateway.AuthenticateAsync(socket, stop);
            await TestGateway.DrainAsync(socket, stop);
        });
        await StartDeviceAsync(_gateway.Address, options => options.OnRejected = KeyRejection.Retry, time);
        var report = await Status.WaitAsync(report => report.State is GatewayState.Rejected).WaitAsync(Patience.Long);
        Assert.That(report.IsLast, Is.False);
        time.Advance(TimeSpan.FromSeconds(14.9));
        Assert.That(_gateway.Connections, Is.EqualTo(1), "slowly");
        await Patience.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Status.Current.State is GatewayState.Connected;
            }, "the connection");
        Assert.That(_gateway.Connections, Is.EqualTo(4));
    }

    [Test]
    public async Task Device_Stopped_SaysGoodbye()
    {
        var isDrained = new TaskCompletionSource<WebSocketCloseStatus?>();
        _gateway = await TestGateway.StartAsync(TestGateway.Taking(async (socket, stop) =>
        {
            await TestGateway.DrainAsync(socket, stop);
            isDrained.SetResult(socket.CloseStatus);
        }));
        await StartDeviceAsync(_gateway.Address);
        await Status.WaitAsync(report => report.State is GatewayState.Connected).WaitAsync(Patience.Long);
        await _device!.StopAsync();
        Assert.That(await isDrained.Task.WaitAsync(Patience.Long), Is.EqualTo(WebSocketCloseStatus.EndpointUnavailable));
    }

    [TestCase("http://127.0.0.1/")]
    [TestCase("gateway.example")]
    [TestCase("ws://127.0.0.1/#there")]
    public void Address_ThatIsNoGateways_IsRefused(string address)
    {
        Assert.Throws<ArgumentException>(() => new PortacodeOptions().GatewayUrl = new Uri(address, UriKind.RelativeOrAbsolute));
    }

    private static Task AskAsync(WebSocket socket, string command, CancellationToken stop, string? more = null) =>
        TestGateway.SendAsync(socket, new JsonObject { ["channel"] = 0, ["payload"] = new JsonObject { ["cmd"] = command, ["more"] = more } }.ToJsonString(), stop);

    private Task<Uri> StartDeviceAsync(Uri gateway) => StartDeviceAsync(gateway, static options => options.MinBackoff = options.MaxBackoff = TimeSpan.FromMilliseconds(1));

    private Task<Uri> StartDeviceAsync(Uri gateway, Action<PortacodeOptions> configure, TimeProvider? time = null)
    {
        _device = new TestHost(
            builder => builder.AddPortacode(configure: options =>
            {
                options.GatewayUrl = gateway;
                options.KeyDirectory = _folder["keys"];
                configure(options);
            }),
            time: time);
        return _device.ListenAsync("http");
    }
}
