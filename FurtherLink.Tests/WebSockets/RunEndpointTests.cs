using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Security;

namespace FurtherLink.Tests.WebSockets;

[TestFixture]
internal sealed class RunEndpointTests
{
    private const string Handshake =
        "GET /run HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    [Test]
    public async Task Messages_OfBothKindsAndAnySize_ArriveWhole()
    {
        await using var app = await LinkApp.StartAsync(ScriptedServer.Echo());
        using var socket = await app.ConnectAsync();
        foreach (var length in new[] { 0, 1, 125, 126, 4091, 4096, 65535, 65536, 200_000, 4 * 1024 * 1024 })
        {
            foreach (var kind in new[] { WebSocketMessageType.Text, WebSocketMessageType.Binary })
            {
                var message = new byte[length];
                for (var i = 0; i < length; i++)
                    message[i] = (byte)('a' + (i % 23));
                var receiving = ReceiveAsync(socket);
                await socket.SendAsync(message, kind, true, default);
                var (type, body) = await receiving;
                Assert.That(type, Is.EqualTo(kind));
                Assert.That(body.AsSpan().SequenceEqual(message), $"{length} bytes");
            }
        }
    }

    [Test]
    public async Task Message_InManyFragments_IsOne()
    {
        await using var app = await LinkApp.StartAsync(ScriptedServer.Echo());
        using var socket = await app.ConnectAsync();
        foreach (var part in new[] { "one ", "", "two ", "three" })
            await socket.SendAsync(Encoding.UTF8.GetBytes(part), WebSocketMessageType.Text, part == "three", default);
        Assert.That(Encoding.UTF8.GetString((await ReceiveAsync(socket)).Body), Is.EqualTo("one two three"));
    }

    [Test]
    public async Task Messages_OfTheServerSentTogether_StayApart()
    {
        var server = new ScriptedServer(async (connection, ct) =>
        {
            var writer = new FrameWriter(connection.Frames.Output);
            for (var i = 0; i < 1000; i++)
                writer.Write(i % 2 == 0 ? FrameKind.Text : FrameKind.Binary, Encoding.UTF8.GetBytes($"{i}"));
            await connection.Frames.Output.FlushAsync(ct);
        });
        await using var app = await LinkApp.StartAsync(server);
        using var socket = await app.ConnectAsync();
        for (var i = 0; i < 1000; i++)
        {
            var (type, body) = await ReceiveAsync(socket);
            Assert.That(type, Is.EqualTo(i % 2 == 0 ? WebSocketMessageType.Text : WebSocketMessageType.Binary));
            Assert.That(Encoding.UTF8.GetString(body), Is.EqualTo($"{i}"));
        }
    }

    [TestCase("/run", "further", "", null, false, "")]
    [TestCase("/run-py", "run-py", "", null, false, "")]
    [TestCase("/run?user=pi&pty=1&client=A%20b&extensions=x,y", "further", "A b", "pi", true, "x,y")]
    [TestCase("/run?pty=TRUE&user=", "further", "", "", true, "")]
    [TestCase("/run?pty=true", "further", "", null, true, "")]
    [TestCase("/run?pty=0", "further", "", null, false, "")]
    [TestCase("/run?pty=yes", "further", "", null, false, "")]
    [TestCase("/run?pty", "further", "", null, false, "")]
    [TestCase("/run?extensions=*&extensions=%20a%20,", "further", "", null, false, "*,a")]
    public async Task Query_OfTheAddress_DescribesTheConnection(string path, string codec, string label, string? user, bool pty, string extensions)
    {
        var server = ScriptedServer.Echo();
        await using var app = await LinkApp.StartAsync(server);
        using var socket = await app.ConnectAsync(path);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await server.Ended;

        var connection = server.Connection!;
        Assert.That(connection.Codec, Is.EqualTo(codec));
        Assert.That(connection.Label, Is.EqualTo(label));
        Assert.That(connection.Defaults, Is.EqualTo(new RunDefaults { User = user, Terminal = pty ? TerminalSize.Default : null }));
        Assert.That(connection.Extensions, Is.EquivalentTo(extensions.Split(',', StringSplitOptions.RemoveEmptyEntries)));
        Assert.That(Rights.Of(connection.Principal), Is.EqualTo(Access.Own));
        Assert.That(connection.Id, Does.Match("^ws-[0-9]+$"));
    }

    [Test]
    public async Task Handshake_OffersNothingThatIsNotConfigured([Values] bool compression)
    {
        await using var app = await LinkApp.StartAsync(ScriptedServer.Echo(), transport => transport.Compression = compression);
        using var socket = await app.ConnectAsync("/run", options =>
        {
            options.DangerousDeflateOptions = new WebSocketDeflateOptions();
            options.AddSubProtocol("other");
        });
        Assert.That(socket.SubProtocol, Is.Null);
        Assert.That(socket.HttpResponseHeaders!.ContainsKey("Sec-WebSocket-Extensions"), Is.EqualTo(compression));
        Assert.That(socket.HttpResponseHeaders["Access-Control-Allow-Private-Network"], Is.EqualTo(["true"]));
        await socket.SendAsync("text"u8.ToArray(), WebSocketMessageType.Text, true, default);
        Assert.That((await ReceiveAsync(socket)).Body, Is.EqualTo("text"u8.ToArray()));
    }

    [Test]
    public async Task Socket_OfAConnection_HoldsLittleThatIsUnsent()
    {
        await using var app = await LinkApp.StartAsync(ScriptedServer.Echo());
        using var socket = await app.ConnectAsync();
        var value = new byte[sizeof(int)];
        // TCP_NOTSENT_LOWAT
        Assert.That(app.Sockets.Single().GetRawSocketOption(6, 25, value), Is.EqualTo(sizeof(int)));
        Assert.That(BitConverter.ToInt32(value), Is.EqualTo(16 * 1024));
    }

    [Test]
    public async Task Message_OverTheLimit_ClosesWith1009([Values] bool fragmented)
    {
        var server = ScriptedServer.Echo();
        await using var app = await LinkApp.StartAsync(server, core: core => core.MaxMessage = 10_000);
        using var socket = await app.ConnectAsync();
        await socket.SendAsync(new byte[10_000], WebSocketMessageType.Binary, true, default);
        Assert.That((await ReceiveAsync(socket)).Body, Has.Length.EqualTo(10_000));

        await socket.SendAsync(new byte[10_000], WebSocketMessageType.Binary, !fragmented, default);
        await socket.SendAsync(new byte[10_001], WebSocketMessageType.Binary, true, default);
        while ((await ReceiveAsync(socket)).Type != WebSocketMessageType.Close)
            continue;
        Assert.That(socket.CloseStatus, Is.EqualTo(WebSocketCloseStatus.MessageTooBig));
        await server.Ended;
    }

    [Test]
    public async Task Message_FarOverTheLimit_StillTellsWhy()
    {
        await using var app = await LinkApp.StartAsync(ScriptedServer.Echo());
        using var socket = await app.ConnectAsync();
        var receiving = ReceiveAsync(socket);
        // More than the kernel holds: it goes out only if it is still read.
        await socket.SendAsync(new byte[24 * 1024 * 1024], WebSocketMessageType.Binary, true, default).WaitAsync(LinkApp.Patience);
        Assert.That((await receiving).Type, Is.EqualTo(WebSocketMessageType.Close));
        Assert.That(socket.CloseStatus, Is.EqualTo(WebSocketCloseStatus.MessageTooBig));
    }

    [Test]
    public async Task Text_NotUtf8_EndsTheConnectionUnseen()
    {
        var server = new ScriptedServer(async (connection, stopping) =>
        {
            await foreach (var _ in ScriptedServer.ReadAllAsync(connection))
                throw new InvalidOperationException("The message reached the server.");
        });
        await using var app = await LinkApp.StartAsync(server);
        using var socket = await app.ConnectAsync();
        await socket.SendAsync(new byte[] { 0xFF }, WebSocketMessageType.Text, true, default);
        await server.Ended;
    }

    [TestCase(1000)]
    [TestCase(1001)]
    [TestCase(3000)]
    public async Task Client_SayingGoodbye_IsAnsweredWhileTheServerStillEnds(int code)
    {
        var finish = new TaskCompletionSource();
        var server = new ScriptedServer(async (connection, stopping) =>
        {
            await foreach (var _ in ScriptedServer.ReadAllAsync(connection))
                continue;
            await finish.Task;
            // What a server still says to who is gone must not hold it up.
            var writer = new FrameWriter(connection.Frames.Output);
            writer.Write(FrameKind.Text, new byte[100_000]);
            await connection.Frames.Output.FlushAsync();
        });
        await using var app = await LinkApp.StartAsync(server);
        using var socket = await app.ConnectAsync();
        await socket.CloseAsync((WebSocketCloseStatus)code, "bye", default).WaitAsync(LinkApp.Patience);
        Assert.That(socket.CloseStatus, Is.EqualTo(WebSocketCloseStatus.NormalClosure));
        finish.SetResult();
        await server.Ended;
    }

    [Test]
    public async Task Server_SayingGoodbye_ClosesWithItsCodeAfterWhatItSaid()
    {
        var server = new ScriptedServer(async (connection, ct) =>
        {
            var writer = new FrameWriter(connection.Frames.Output);
            writer.Write(FrameKind.Text, "last"u8);
            Frames.WriteClose(writer, 4001, "because ü");
            await connection.Frames.Output.FlushAsync(ct);
        });
        await using var app = await LinkApp.StartAsync(server);
        using var socket = await app.ConnectAsync();
        Assert.That((await ReceiveAsync(socket)).Body, Is.EqualTo("last"u8.ToArray()));
        Assert.That((await ReceiveAsync(socket)).Type, Is.EqualTo(WebSocketMessageType.Close));
        Assert.That((int)socket.CloseStatus!, Is.EqualTo(4001));
        Assert.That(socket.CloseStatusDescription, Is.EqualTo("because ü"));
    }

    [Test]
    public async Task Server_EndingWithoutAWord_ClosesWith1000()
    {
        await using var app = await LinkApp.StartAsync(new ScriptedServer((_, _) => Task.CompletedTask));
        using var socket = await app.ConnectAsync();
        Assert.That((await ReceiveAsync(socket)).Type, Is.EqualTo(WebSocketMessageType.Close));
        Assert.That(socket.CloseStatus, Is.EqualTo(WebSocketCloseStatus.NormalClosure));
    }

    [Test]
    public async Task Host_Stopping_TellsTheServerWhichTellsTheClient()
    {
        var server = new ScriptedServer(async (connection, ct) =>
        {
            var stopped = new TaskCompletionSource();
            await using var registration = ct.Register(stopped.SetResult);
            await stopped.Task;
            Frames.WriteClose(new FrameWriter(connection.Frames.Output), 1001, "stopping");
            await connection.Frames.Output.FlushAsync(CancellationToken.None);
        });
        await using var app = await LinkApp.StartAsync(server);
        using var socket = await app.ConnectAsync();
        var receiving = ReceiveAsync(socket);
        var stopping = app.StopAsync();
        Assert.That((await receiving).Type, Is.EqualTo(WebSocketMessageType.Close));
        Assert.That(socket.CloseStatus, Is.EqualTo(WebSocketCloseStatus.EndpointUnavailable));
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await stopping.WaitAsync(LinkApp.Patience);
    }

    [Test]
    public async Task Client_VanishingMidMessage_EndsTheServerWithoutThatMessage()
    {
        var bodies = new List<byte[]>();
        var server = new ScriptedServer(async (connection, stopping) =>
        {
            await foreach (var (_, body) in ScriptedServer.ReadAllAsync(connection))
                bodies.Add(body);
        });
        await using var app = await LinkApp.StartAsync(server);
        using var socket = await app.ConnectAsync();
        await socket.SendAsync("whole"u8.ToArray(), WebSocketMessageType.Text, true, default);
        await socket.SendAsync(new byte[9000], WebSocketMessageType.Binary, false, default);
        socket.Abort();
        await server.Ended;
        Assert.That(bodies, Is.EqualTo([Encoding.UTF8.GetBytes("whole")]));
    }

    [Test]
    public async Task Client_SilentWithoutAnsweringPings_IsNoticed([Values] bool flooded)
    {
        var server = new ScriptedServer(async (connection, ct) =>
        {
            // Flooded: the socket is full as well, so the goodbye and the ping are stuck behind what nobody reads.
            var writer = new FrameWriter(connection.Frames.Output);
            var chunk = new byte[64 * 1024];
            var reading = Task.Run(async () =>
            {
                await foreach (var _ in ScriptedServer.ReadAllAsync(connection))
                    continue;
            }, ct);
            while (flooded && !reading.IsCompleted)
            {
                writer.Write(FrameKind.Binary, chunk);
                await connection.Frames.Output.FlushAsync(CancellationToken.None);
            }
            await reading;
        });
        await using var app = await LinkApp.StartAsync(server, transport =>
        {
            transport.KeepAliveInterval = TimeSpan.FromMilliseconds(100);
            transport.KeepAliveTimeout = TimeSpan.FromMilliseconds(200);
        });
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, app.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Handshake));
        Assert.That(await stream.ReadAsync(new byte[12]), Is.Positive);
        // From here on the client neither reads nor writes, and its connection stays up.
        await server.Ended;
    }

    [Test]
    public async Task Client_AnsweringPings_StaysHoweverLongItIsSilent()
    {
        var server = ScriptedServer.Echo();
        await using var app = await LinkApp.StartAsync(server, transport =>
        {
            transport.KeepAliveInterval = TimeSpan.FromMilliseconds(20);
            transport.KeepAliveTimeout = TimeSpan.FromSeconds(20);
        });
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, app.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Handshake));
        var header = new byte[2];
        await SkipHeadersAsync(stream);
        for (var pings = 0; pings < 10; pings++)
        {
            // A ping: FIN and opcode 9, unmasked; its pong is opcode 10, masked with zeros.
            await stream.ReadExactlyAsync(header).AsTask().WaitAsync(LinkApp.Patience);
            Assert.That(header[0], Is.EqualTo(0x89));
            var payload = new byte[header[1]];
            await stream.ReadExactlyAsync(payload);
            await stream.WriteAsync(new byte[] { 0x8A, (byte)(0x80 | payload.Length), 0, 0, 0, 0 }.Concat(payload).ToArray());
        }
        Assert.That(server.Ended.IsCompleted, Is.False);
    }

    [Test]
    public async Task Client_NotReadingAtTheEnd_IsCutAfterAWhile()
    {
        var server = new ScriptedServer((connection, stopping) =>
        {
            // 8 MiB: more than Kestrel and the kernel hold, so sending cannot end.
            new FrameWriter(connection.Frames.Output).Write(FrameKind.Binary, new byte[8 * 1024 * 1024]);
            var sending = connection.Frames.Output.FlushAsync(stopping).AsTask();
            return sending.IsCompleted ? throw new InvalidOperationException("All was sent.") : Task.CompletedTask;
        });
        await using var app = await LinkApp.StartAsync(server);
        using var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(IPAddress.Loopback, app.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Handshake));
        await server.Ended;
        // The host stops only when the connection is over.
        await app.StopAsync().WaitAsync(LinkApp.Patience);
    }

    private static async Task SkipHeadersAsync(NetworkStream stream)
    {
        var end = 0;
        var one = new byte[1];
        while (end < 4)
        {
            await stream.ReadExactlyAsync(one);
            end = one[0] == "\r\n\r\n"[end] ? end + 1 : one[0] == '\r' ? 1 : 0;
        }
    }

    private static async Task<(WebSocketMessageType Type, byte[] Body)> ReceiveAsync(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(LinkApp.Patience);
        var message = new ArrayBufferWriter<byte>();
        while (true)
        {
            var part = await socket.ReceiveAsync(message.GetMemory(64 * 1024), patience.Token);
            message.Advance(part.Count);
            if (part.EndOfMessage)
                return (part.MessageType, message.WrittenSpan.ToArray());
        }
    }
}
