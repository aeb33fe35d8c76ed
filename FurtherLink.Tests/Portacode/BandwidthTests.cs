using System.Diagnostics;
using System.Text.Json.Nodes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode;

/// <summary>Limits of clients, terminals and files.</summary>
[TestFixture]
internal sealed class BandwidthTests : DeviceFixture
{
    private const string Everything = """[{"event":"terminal_data"}]""";

    [Test]
    public async Task Request_BesideALimitedFlood_IsAnsweredAtOnce()
    {
        Options.Bandwidth["A"] = 100_000;
        var gateway = await ConnectAsync(Spelling.Document);
        await SubscribeAsync(gateway, "A", Everything);
        var id = await gateway.StartAsync();
        await gateway.TypeAsync(id, "yes\n");
        await gateway.UntilAsync("bandwidth_limited");
        var since = Stopwatch.GetTimestamp();
        var took = new List<TimeSpan>();
        long sent = 0;
        var until = TimeSpan.FromSeconds(SoakSize.Of(3, 60));
        while (Stopwatch.GetElapsedTime(since) < until)
        {
            var asked = Stopwatch.GetTimestamp();
            await gateway.AskAsync("terminal_list", null, "B");
            while (true)
            {
                var frame = (await gateway.NextAsync())!;
                sent += GatewayClient.OutputOf(frame, id)?.Length ?? 0;
                if ((string?)(frame["payload"] as JsonObject)?["event"] == "terminal_list")
                    break;
            }

            took.Add(Stopwatch.GetElapsedTime(asked));
            await Task.Delay(5);
        }

        took.Sort();
        var rate = sent / Stopwatch.GetElapsedTime(since).TotalSeconds;
        await TestContext.Out.WriteLineAsync($"{took.Count} requests: p50 {took[took.Count / 2].TotalMilliseconds:F1} ms, p99 {took[took.Count * 99 / 100].TotalMilliseconds:F1} ms; output at {rate:F0} bytes/s");
        Assert.That(rate, Is.LessThan(100_000), "the frames around the output count too");
        Assert.That(took[took.Count * 99 / 100], Is.LessThan(Patience.Long));
    }

    [Test]
    public async Task Output_OfALimitedClient_IsThrottledAndNotLost()
    {
        Options.Bandwidth["*"] = 400_000;
        var gateway = await ConnectAsync(Spelling.Document);
        await SubscribeAsync(gateway, "A", Everything);
        var id = await gateway.StartAsync();
        await gateway.TypeAsync(id, "stty -echo; seq 1 50000; echo en''d\n");
        var output = await gateway.OutputUntilAsync(id, "end\r\n");
        Assert.That(output, Does.Contain("1\r\n2\r\n3\r\n").And.Contain("\r\n49999\r\n50000\r\nend"));
        Assert.That(output.Split("\r\n"), Has.Length.GreaterThan(50_000));
    }

    [Test]
    public async Task Client_OverItsLimitBesideOneThatIsNot_IsToldWhatItMisses()
    {
        Options.Bandwidth["slow"] = 10_000;
        var gateway = await ConnectAsync(Spelling.Document);
        await SubscribeAsync(gateway, "slow", Everything);
        await SubscribeAsync(gateway, "fast", Everything);
        var id = await gateway.StartAsync();
        await gateway.TypeAsync(id, "stty -echo; seq 1 20000; echo en''d\n");
        var fast = "";
        var slow = "";
        JsonObject? told = null;
        while (!fast.Contains("end\r\n", StringComparison.Ordinal))
        {
            var payload = (await gateway.NextAsync())!["payload"] as JsonObject;
            if ((string?)payload?["event"] == "bandwidth_limited")
                told = payload;
            if ((string?)payload?["event"] != "terminal_data")
                continue;
            var clients = payload["client_channels"]!.AsArray().Select(name => (string)name!).ToList();
            if (clients.Contains("fast"))
                fast += (string)payload["data"]!;
            if (clients.Contains("slow"))
                slow += (string)payload["data"]!;
        }

        Assert.That(fast, Does.Contain("\r\n19999\r\n20000\r\nend"));
        Assert.That(slow.Length, Is.LessThan(fast.Length));
        Assert.That(told, Is.Not.Null);
        Assert.That(((string?)told!["client_channel"], (bool)told["skipped"]!, (long)told["bytes_per_second"]!), Is.EqualTo(("slow", true, 10_000L)));
        Assert.That((string?)told["client_channels"]![0], Is.EqualTo("slow"));
    }

    [Test]
    public async Task Terminal_OverItsLimit_LeavesOthersAlone()
    {
        Options.TerminalBytesPerSecond = 20_000;
        var gateway = await ConnectAsync(Spelling.Legacy);
        var flood = await gateway.StartAsync();
        await gateway.TypeAsync(flood, "yes\n");
        var other = await gateway.StartAsync("/bin/cat");
        await gateway.TypeAsync(other, "hello\n");
        await gateway.OutputUntilAsync(other, "hello\r\nhello\r\n");
        await gateway.AskAsync("terminal_stop", new JsonObject { ["terminal_id"] = flood });
        await gateway.UntilAsync("terminal_stop_completed");
    }

    private static Task<JsonObject> SubscribeAsync(GatewayClient gateway, string client, string filters) =>
        gateway.AnswerAsync("session_subscribe", new JsonObject { ["client_channel"] = client, ["action"] = "connect", ["filters"] = JsonNode.Parse(filters) }, "session_subscribe_ack");
}
