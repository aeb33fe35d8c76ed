using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Security;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Peers;

/// <summary>Long messages take their share of the turns beside output, and what is posted overtakes both.</summary>
[TestFixture]
internal sealed class LongMessageTests
{
    private const int Count = 12;

    [TestCase(0.5, 1)]
    [TestCase(0.25, 3)]
    [TestCase(1, 0)]
    public async Task Turns_OfLongMessagesBesideOutput_AreWhatTheirShareSays(double share, int between)
    {
        var sender = new Sender();
        await using var host = new TestHost(builder => builder.AddService(_ => sender));
        await using var client = new FurtherTestClient(new MemoryWire(host.Server, frames => new LinkConnection("test", "further", frames)
        {
            Principal = Rights.Grant("test", Access.Own),
            LongShare = share,
            MaxChunk = 4096,
        }));
        await client.SendAsync("start", "1", new { runner = "fake", extensions = new[] { "offsets" } });
        var program = await host.Runner.NextAsync();
        await client.UntilAsync("started");
        await program.PrintAsync(new string('x', 512 * 1024));
        await client.SendAsync("list");
        await sender.Queued.WaitAsync(Patience.Long);
        await client.SendAsync("ping");

        var turns = new List<string>();
        var isPosted = false;
        while (turns.Count(turn => turn == "sessions") < Count)
        {
            var type = (string)(await client.NextAsync())!["type"]!;
            if (type == "pong")
                isPosted = true;
            else
                turns.Add(type);
        }

        Assert.That(isPosted, Is.True);
        var first = turns.IndexOf("sessions");
        var expected = Enumerable.Repeat(Enumerable.Repeat("stdout", between).Append("sessions"), Count - 1).SelectMany(turn => turn);
        Assert.That(turns.Skip(first + 1), Is.EqualTo(expected));
        await Task.WhenAll(sender.Sent).WaitAsync(Patience.Long);
    }

    [Test]
    public async Task Connection_ThatEnds_CancelsWhatWaits()
    {
        var sender = new Sender();
        await using var host = new TestHost(builder => builder.AddService(_ => sender));
        var wire = new MemoryWire(host.Server);
        await new FurtherTestClient(wire).SendAsync("list");
        await sender.Queued.WaitAsync(Patience.Long);
        await wire.DisposeAsync();
        foreach (var sent in sender.Sent.Skip(1))
            await Assert.ThrowsAsync<TaskCanceledException>(() => sent.WaitAsync(Patience.Long));
    }

    /// <summary>Answers a list by many long messages at once.</summary>
    private sealed class Sender : IService
    {
        private readonly TaskCompletionSource _queued = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name => "sessions";

        public Task Queued => _queued.Task;

        public List<Task> Sent { get; } = [];

        public Access Needs(Call call) => Access.View;

        public ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken)
        {
            for (var i = 0; i < Count; i++)
                Sent.Add(peer.SendAsync(new Result("sessions.list", Array.Empty<SessionInfo>())));
            _queued.SetResult();
            return new ValueTask<object?>((object?)null);
        }
    }
}
