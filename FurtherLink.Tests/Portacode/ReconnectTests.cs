using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode;

/// <summary>A gateway that goes and comes back.</summary>
[TestFixture]
internal sealed class ReconnectTests : DeviceFixture
{
    [Test]
    public async Task Output_WhileAway_ComesOnceAfterTheReturn([Values] bool announced)
    {
        var state = MakeGateway();
        var first = await ConnectAsync(Spelling.Legacy, state);
        if (announced)
            await first.AskAsync("client_sessions_update", new JsonObject { ["sessions"] = JsonNode.Parse("""[{"channel_name":"A","connection_type":"dashboard"}]""") });
        var id = await first.StartAsync();
        await first.TypeAsync(id, "stty -echo; PS1=; echo on''e\n");
        await first.OutputUntilAsync(id, "one\r\n");
        await first.TypeAsync(id, "sleep 0.3; echo two; echo thr''ee\n");
        await first.UntilAsync("terminal_send_ack");
        await first.DisposeAsync();
        await Patience.UntilAsync(() => Host.Sessions.Find(id)!.Output.End > 0 && Recent(id).Contains("three", StringComparison.Ordinal), "three");

        var second = await ConnectAsync(Spelling.Legacy, state);
        var output = await second.OutputUntilAsync(id, "three\r\n");
        Assert.That(output, Does.Contain("two\r\nthree\r\n").And.Not.Contain("one\r\n"));
    }

    [Test]
    public async Task Exit_WhileAway_IsToldOnce()
    {
        var state = MakeGateway();
        var first = await ConnectAsync(Spelling.Legacy, state);
        var id = await first.StartAsync();
        await first.TypeAsync(id, "sleep 0.2; echo la''st; exit 5\n");
        await first.UntilAsync("terminal_send_ack");
        await first.DisposeAsync();
        await Host.Sessions.Find(id)!.Exited.WaitAsync(Patience.Long);

        var second = await ConnectAsync(Spelling.Legacy, state);
        await second.OutputUntilAsync(id, "last\r\n");
        Assert.That((int)(await second.UntilAsync("terminal_exit"))["returncode"]!, Is.EqualTo(5));
        await second.DisposeAsync();

        var third = Connect(Spelling.Legacy, state);
        Assert.That((await third.UntilAsync("terminal_list"))["sessions"]!.AsArray(), Is.Empty);
        await third.AskAsync("system_nothing");
        while (true)
        {
            var payload = (await third.NextAsync())!["payload"] as JsonObject;
            Assert.That((string?)payload?["event"], Is.Not.EqualTo("terminal_exit"));
            if ((string?)payload?["event"] == "error")
                break;
        }
    }

    [Test]
    public async Task Exit_OfASessionThatIsGoneMeanwhile_IsToldOnce()
    {
        var state = MakeGateway();
        var first = await ConnectAsync(Spelling.Legacy, state);
        var id = await first.StartAsync();
        await first.DisposeAsync();
        await Patience.UntilAsync(() => Host.Sessions.Find(id)!.Info.Members == 0, "detached");
        await Host.Sessions.RemoveAsync(id);
        var second = await ConnectAsync(Spelling.Legacy, state);
        Assert.That((string?)(await second.UntilAsync("terminal_exit"))["terminal_id"], Is.EqualTo(id));
    }

    [Test]
    public async Task ClientSessions_AreKeptOverAReconnect()
    {
        var state = MakeGateway();
        var first = await ConnectAsync(Spelling.Document, state);
        await first.AnswerAsync("session_subscribe", new JsonObject { ["action"] = "connect", ["filters"] = new JsonArray(new JsonObject()) }, "session_subscribe_ack", "B");
        await first.DisposeAsync();
        var second = await ConnectAsync(Spelling.Document, state);
        var id = await second.StartAsync();
        Assert.That((string?)(await second.UntilAsync("terminal_data"))["client_channels"]![0], Is.EqualTo("B"));
        Assert.That(id, Has.Length.EqualTo(32));
    }

    [Test]
    public async Task Output_ThroughRandomCuts_ComesOnceOrTheGapIsTold()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FURTHERLINK_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        await TestContext.Out.WriteLineAsync($"seed {seed}");
        var random = new Random(seed);
        var lines = SoakSize.Of(400_000, 12_500_000);
        var cuts = SoakSize.Of(50, 1000);
        var state = MakeGateway();
        var gateway = await ConnectAsync(Spelling.Current, state);
        await gateway.AskAsync("client_sessions_update", new JsonObject { ["sessions"] = JsonNode.Parse("""[{"channel_name":"A","connection_type":"dashboard"}]""") });
        var id = await gateway.StartAsync();
        await gateway.TypeAsync(id, "stty -echo -onlcr; PS1=; echo g''o\n");
        var begin = await gateway.UntilAsync("terminal_data", data => ((string)data["data"]!).EndsWith("go\n", StringComparison.Ordinal));
        var output = new Coverage((long)begin["next_offset"]!, Counted(lines));
        await gateway.TypeAsync(id, $"seq 1 {lines}; echo en''d\n");

        for (var cut = 0; !output.IsComplete; cut++)
        {
            var frames = cut < cuts ? random.Next(1, 40) : int.MaxValue;
            while (frames-- > 0 && !output.IsComplete)
                output.Add((await gateway.NextAsync())!, id);
            if (output.IsComplete)
                break;
            await gateway.DisposeAsync();
            gateway = Connect(Spelling.Current, state);
        }

        await TestContext.Out.WriteLineAsync($"{output.Missed} of {output.Length} bytes were printed while nobody was there, and told as missed");
        Assert.That(output.Length, Is.GreaterThan(2_000_000));
    }

    private static byte[] Counted(int lines)
    {
        using var text = new MemoryStream();
        using (var writer = new StreamWriter(text, new UTF8Encoding(false), 65536, leaveOpen: true))
        {
            for (var i = 1; i <= lines; i++)
                writer.Write(string.Create(CultureInfo.InvariantCulture, $"{i}\n"));
            writer.Write("end\n");
        }

        return text.ToArray();
    }

    private string Recent(string id)
    {
        using var reader = Host.Sessions.Find(id)!.Output.Attach(new FurtherLink.Sessions.ReaderOptions { Lossless = false });
        var text = "";
        while (reader.TryRead(65536, out var chunk) && chunk.Exit is null)
            text += Encoding.UTF8.GetString(chunk.Data.Span);
        return text;
    }

    /// <summary>Checks that output of a known content comes in order, each byte once or told as missed.</summary>
    private sealed class Coverage
    {
        private readonly byte[] _expected;
        private readonly long _begin;
        private long _next;

        public Coverage(long begin, byte[] expected)
        {
            _begin = _next = begin;
            _expected = expected;
        }

        public bool IsComplete => Length == _expected.Length;

        public long Length => _next - _begin;

        public long Missed { get; private set; }

        public void Add(JsonNode frame, string id)
        {
            if (frame["payload"] is not JsonObject payload || (string?)payload["terminal_id"] != id)
                return;
            switch ((string?)payload["event"])
            {
                case "terminal_missed":
                    // A hole that a lost connection had told already is told again.
                    Assert.That((long)payload["from"]!, Is.LessThanOrEqualTo(_next));
                    Missed += (long)payload["to"]! - _next;
                    _next = (long)payload["to"]!;
                    break;
                case "terminal_data":
                    var data = Encoding.UTF8.GetBytes((string)payload["data"]!);
                    Assert.That((long)payload["offset"]!, Is.EqualTo(_next), "each byte comes once, in order");
                    Assert.That(_expected.AsSpan((int)Length, data.Length).SequenceEqual(data), Is.True, $"what stands at {_next}");
                    _next = (long)payload["next_offset"]!;
                    break;
            }
        }
    }
}
