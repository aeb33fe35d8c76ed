using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>Output by offsets, whatever is printed and wherever connections break.</summary>
[TestFixture("memory")]
[TestFixture("websocket")]
internal sealed class AttachCutTests(string transport) : AttachFixture(transport)
{
    // Whole characters of each length, characters cut short, bytes that are none, and, last, long lines.
    private static readonly byte[][] Pieces =
        [.. new[] { "a", "é", "€", "😀", "line\r\n" }.Select(Encoding.UTF8.GetBytes), [0xE2], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0x80], [0xFF, 0xC0], [], [.. Enumerable.Repeat((byte)'x', 3000)]];

    [Test]
    public async Task Output_ThroughCutsAnywhere_IsWhatWasPrinted([Values] bool acknowledges)
    {
        var seed = Environment.TickCount;
        await TestContext.Out.WriteLineAsync($"seed {seed}");
        var random = new Random(seed);
        var extensions = acknowledges ? "ack" : "offsets";
        var client = await ConnectAsync(extensions);
        var (id, program) = await StartAsync(client, new { whenDetached = "pause", name = "work" }, new { clientId = "me" });
        var printed = new Dictionary<OutputKind, MemoryStream> { [OutputKind.Out] = new(), [OutputKind.Error] = new() };
        var programSeed = random.Next();
        var printing = Task.Run(() => PrintAsync(program, new Random(programSeed), printed, acknowledges));

        // What was received, as pieces with their places; what came behind the last that was acknowledged may come again.
        var received = new List<(string Type, long From, long To, string Text)>();
        var acknowledged = 0;
        var cuts = 0;
        while (true)
        {
            var left = random.Next(30);
            var stopped = false;
            while (left-- > 0 || cuts >= 60)
            {
                var message = (await client.NextAsync())!;
                if (stopped = (string?)message["type"] == "stopped")
                    break;
                if ((string?)message["type"] is not ("stdout" or "stderr"))
                    continue;
                var data = message["data"]!;
                var place = received.Count > 0 ? received[^1].To : 0;
                Assert.That((long)data["from"]!, Is.EqualTo(place), "it goes on where it was");
                received.Add(((string)message["type"]!, (long)data["from"]!, (long)data["to"]!, (string)data["output"]!));
                if (acknowledges && random.Next(3) == 0)
                {
                    await client.SendAsync("ack", "1", new { offset = received[^1].To });
                    acknowledged = received.Count;
                }
                else if (!acknowledges)
                {
                    acknowledged = received.Count;
                }
            }

            if (stopped && cuts >= 60)
                break;
            await client.Wire.CutAsync();
            cuts++;
            // As if the broken link had swallowed some of it. Where nobody acknowledges, what was received counts.
            received.RemoveRange(acknowledged, received.Count - acknowledged);
            client = await ConnectAsync(extensions);
            var from = received.Count > 0 ? received[^1].To : 0;
            var attached = await AttachAsync(client, "1", new { session = random.Next(2) == 0 ? id : "work", from, clientId = "me" });
            Assert.That((long)attached["from"]!, Is.EqualTo(from));
        }

        await printing.WaitAsync(Patience.Long);
        foreach (var (kind, type) in new[] { (OutputKind.Out, "stdout"), (OutputKind.Error, "stderr") })
        {
            var text = string.Concat(received.Where(piece => piece.Type == type).Select(piece => piece.Text));
            Assert.That(text, Is.EqualTo(Encoding.UTF8.GetString(printed[kind].ToArray())), type);
        }
    }

    [Test]
    public async Task Missed_OfOneThatComesTooLate_StandsExactlyAtTheHole([Values("keep")] string whenDetached)
    {
        var first = await ConnectAsync();
        var (id, program) = await StartAsync(first, new { whenDetached });
        await first.Wire.CutAsync();
        await Patience.UntilAsync(() => Host.Sessions.Find(id)!.Info.Members == 0, "the detach");
        for (var i = 0; i < 20_000; i++)
            await program.PrintAsync($"{i:D9}\n");

        // Who uses sessions is told, also without having asked for anything.
        var second = await ConnectAsync("offsets");
        Assert.That((long)(await AttachAsync(second, "1", new { session = id, from = 1003 }))["from"]!, Is.EqualTo(1003));
        JsonNode message;
        do
        {
            message = (await second.NextAsync())!;
        }
        while ((string?)message["type"] == "presence");
        Assert.That((string?)message["type"], Is.EqualTo("missed"));
        Assert.That((long)message["data"]!["from"]!, Is.EqualTo(1003));
        var at = (long)message["data"]!["to"]!;
        Assert.That(at, Is.EqualTo(Host.Sessions.Find(id)!.Output.Start));
        var expected = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{i:D9}\n"));
        while (at < 200_000)
        {
            var output = (await second.UntilAsync("stdout"))["data"]!;
            Assert.That((long)output["from"]!, Is.EqualTo(at));
            Assert.That((string?)output["output"], Is.EqualTo(expected[(int)at..(int)(long)output["to"]!]));
            at = (long)output["to"]!;
        }
    }

    private static async Task PrintAsync(FakeProcess program, Random random, Dictionary<OutputKind, MemoryStream> printed, bool moreThanALog)
    {
        // What a client does not acknowledge counts as received when it was sent: it is there again only as long as the log has it.
        for (var i = 0; i < (moreThanALog ? 3000 : 1500); i++)
        {
            var kind = random.Next(4) == 0 ? OutputKind.Error : OutputKind.Out;
            var bytes = Pieces[random.Next(Pieces.Length - (moreThanALog ? 0 : 1))];
            printed[kind].Write(bytes);
            await program.PrintAsync(bytes, kind);
        }

        program.Exit(3);
    }
}
