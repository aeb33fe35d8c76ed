using System.Net.WebSockets;
using System.Text;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Tests.Portacode.Gateways;

[TestFixture]
internal sealed class DeviceHandshakeTests
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(15);

    private readonly ManualTimeProvider _time = new();
    private TemporaryFolder _folder = null!;
    private DeviceIdentity _identity = null!;

    [OneTimeSetUp]
    public void OneTimeSetUp()
    {
        _folder = new TemporaryFolder();
        _identity = DeviceIdentity.Open(_folder["keys"]);
    }

    [OneTimeTearDown]
    public void OneTimeTearDown()
    {
        _identity.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Handshake_WithAGatewayThatKnowsTheKey_IsAccepted()
    {
        var key = new TaskCompletionSource<string>();
        var result = await RunAsync(async (socket, stop) => key.SetResult(await TestGateway.AuthenticateAsync(socket, stop)));
        Assert.That(result, Is.EqualTo(new HandshakeResult.Accepted()));
        Assert.That(await key.Task, Is.EqualTo(_identity.PublicKeyText));
    }

    [TestCase("unknown device", "unknown device")]
    [TestCase("", "without a word")]
    [TestCase("null", "null")]
    [TestCase("[]", "[]")]
    [TestCase("17", "17")]
    [TestCase("{}", "{}")]
    [TestCase("{\"challenge\":17}", "{\"challenge\":17}")]
    [TestCase("{\"challenge\":null}", "{\"challenge\":null}")]
    [TestCase("{\"challenge\":\"\\ud800\"}", "{\"challenge\":\"\\ud800\"}")]
    [TestCase("{\"challenge\":\"x\"", "{\"challenge\":\"x\"")]
    [TestCase("two\nlines \u001b[31mred\u202e", "two lines  [31mred")]
    public async Task Handshake_WithoutAChallenge_IsRejectedInTheGatewaysWords(string message, string reason)
    {
        var result = await RunAsync(async (socket, stop) =>
        {
            await TestGateway.ReceiveAsync(socket, stop);
            await TestGateway.SendAsync(socket, message, stop);
        });
        Assert.That(result, Is.EqualTo(new HandshakeResult.Rejected(reason)));
    }

    [Test]
    public async Task Handshake_OfAChallengeCutAnywhere_IsRejected()
    {
        const string Challenge = """{"challenge":"00ff"}""";
        await using var gateway = await TestGateway.StartAsync(async (socket, stop) =>
        {
            var length = int.Parse((await TestGateway.ReceiveAsync(socket, stop))!);
            await TestGateway.ReceiveAsync(socket, stop);
            await TestGateway.SendAsync(socket, Challenge[..length], stop);
        });
        for (var length = 0; length < Challenge.Length; length++)
        {
            using var socket = new ClientWebSocket();
            await socket.ConnectAsync(gateway.Address, default);
            await TestGateway.SendAsync(socket, $"{length}", default);
            Assert.That(await new DeviceHandshake(_identity, Step, _time).RunAsync(socket, default), Is.InstanceOf<HandshakeResult.Rejected>(), $"{length} bytes");
        }
    }

    [TestCase("OK")]
    [TestCase("ok ")]
    [TestCase("{\"ok\":true}")]
    [TestCase("no")]
    public async Task Handshake_WithAnotherWordThanOk_IsRejectedInIt(string verdict)
    {
        var result = await RunAsync(async (socket, stop) =>
        {
            await ChallengeAsync(socket, stop);
            await TestGateway.SendAsync(socket, verdict, stop);
        });
        Assert.That(result, Is.EqualTo(new HandshakeResult.Rejected(verdict.Trim())));
    }

    [Test]
    public async Task Handshake_WithALongReason_ShortensIt()
    {
        var result = await RunAsync(async (socket, stop) =>
        {
            await ChallengeAsync(socket, stop);
            await TestGateway.SendAsync(socket, new string('x', 60_000), stop);
        });
        Assert.That(((HandshakeResult.Rejected)result).Reason, Has.Length.EqualTo(301).And.EndsWith("x…"));
    }

    [Test]
    public async Task Handshake_WithAMessageThatNeverEnds_FailsAtItsLimit()
    {
        var result = await RunAsync(async (socket, stop) =>
        {
            await TestGateway.ReceiveAsync(socket, stop);
            for (var i = 0; i < 100; i++)
                await socket.SendAsync(new byte[1024], WebSocketMessageType.Text, endOfMessage: false, stop);
        });
        Assert.That(((HandshakeResult.Failed)result).Why, Does.Contain("more than 65536 bytes"));
    }

    [Test]
    public async Task Handshake_WithABinaryMessage_Fails()
    {
        var result = await RunAsync(async (socket, stop) =>
        {
            await TestGateway.ReceiveAsync(socket, stop);
            await socket.SendAsync("{\"challenge\":\"x\"}"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, stop);
        });
        Assert.That(((HandshakeResult.Failed)result).Why, Is.EqualTo("the gateway did not send a challenge: its message is binary"));
    }

    [Test]
    public async Task Handshake_WithAGatewayThatCloses_FailsWithItsReason([Values] bool afterTheSignature)
    {
        var result = await RunAsync(async (socket, stop) =>
        {
            if (afterTheSignature)
                await ChallengeAsync(socket, stop);
            else
                await TestGateway.ReceiveAsync(socket, stop);
            await socket.CloseOutputAsync(WebSocketCloseStatus.PolicyViolation, "busy", stop);
            await TestGateway.ReceiveAsync(socket, stop);
        });
        Assert.That(result, Is.EqualTo(new HandshakeResult.Failed(
            $"the gateway did not {(afterTheSignature ? "answer the signature" : "send a challenge")}: it closed the connection (1008, busy)")));
    }

    [Test]
    public async Task Handshake_WithAGatewayThatBreaksOff_Fails()
    {
        var result = await RunAsync(async (socket, stop) =>
        {
            await ChallengeAsync(socket, stop);
            socket.Abort();
        });
        Assert.That(((HandshakeResult.Failed)result).Why, Does.StartWith("the gateway did not answer the signature: "));
    }

    [Test]
    public async Task Handshake_WithAGatewayThatIsSilent_FailsAfterAStepsTime([Values] bool afterTheSignature)
    {
        var isSilent = new TaskCompletionSource();
        await using var gateway = await TestGateway.StartAsync(async (socket, stop) =>
        {
            if (afterTheSignature)
                await ChallengeAsync(socket, stop);
            else
                await TestGateway.ReceiveAsync(socket, stop);
            isSilent.SetResult();
            await Task.Delay(Timeout.Infinite, stop);
        });
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(gateway.Address, default);
        var running = new DeviceHandshake(_identity, Step, _time).RunAsync(socket, default);
        await isSilent.Task;
        _time.Advance(Step - TimeSpan.FromTicks(1));
        Assert.That(running.IsCompleted, Is.False);

        // The step may have begun before that or after it.
        await Patience.UntilAsync(
            () =>
            {
                _time.Advance(Step);
                return running.IsCompleted;
            }, "the end of a step");
        // The gateway may have read what the device is still sending.
        string[] steps = afterTheSignature ? ["answer the signature", "take the signature"] : ["send a challenge", "take the key"];
        Assert.That(steps.Select(step => new HandshakeResult.Failed($"the gateway did not {step} within 15 s")), Does.Contain(await running));
    }

    [Test]
    public async Task Handshake_ToldToEnd_Throws()
    {
        using var end = new CancellationTokenSource();
        await using var gateway = await TestGateway.StartAsync(async (socket, stop) =>
        {
            await TestGateway.ReceiveAsync(socket, stop);
            await end.CancelAsync();
            await Task.Delay(Timeout.Infinite, stop);
        });
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(gateway.Address, default);
        await Assert.ThrowsAsync(Is.InstanceOf<OperationCanceledException>(), () => new DeviceHandshake(_identity, Step, _time).RunAsync(socket, end.Token));
    }

    private static async Task ChallengeAsync(WebSocket socket, CancellationToken stop)
    {
        await TestGateway.ReceiveAsync(socket, stop);
        await TestGateway.SendAsync(socket, "{\"challenge\":\"x\"}", stop);
        Assert.That(Encoding.UTF8.GetByteCount((await TestGateway.ReceiveAsync(socket, stop))!), Is.GreaterThan(300));
    }

    private async Task<HandshakeResult> RunAsync(Func<WebSocket, CancellationToken, Task> script)
    {
        await using var gateway = await TestGateway.StartAsync(script);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(gateway.Address, default);
        return await new DeviceHandshake(_identity, Step, _time).RunAsync(socket, default).WaitAsync(Patience.Long);
    }
}
