using FurtherLink.Messages;
using FurtherLink.Sessions;

namespace FurtherLink.Tests.Sessions.Spills;

/// <summary>Random schedules over a real spill with tiny capacities: a flood, readers of all kinds that come, go and lag, and time that passes.</summary>
internal sealed class SpillPropertyTests
{
    private static readonly int? OnlySeed =
        int.TryParse(Environment.GetEnvironmentVariable("FURTHERLINK_TEST_SEED"), out var seed) ? seed : null;

    [Test]
    public async Task Readers_OfAFloodWithASpill_GetEveryByteOrAreToldWhatTheyMissed()
    {
        var first = OnlySeed ?? Random.Shared.Next();
        await TestContext.Out.WriteLineAsync($"seeds {first} to {first + 19}");
        for (var seed = first; seed < first + (OnlySeed is null ? 20 : 1); seed++)
        {
            try
            {
                await RunAsync(new Random(seed));
            }
            catch (Exception e) when (e is not ResultStateException)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }
    }

    private static async Task RunAsync(Random random)
    {
        await using var fixture = new SpillFixture(
            capacity: random.Next(16, 400) * 1024, segmentSize: 4096 << random.Next(3), logCapacity: 4096 << random.Next(3));
        var history = new byte[200_000];
        random.NextBytes(history);
        var kinds = new OutputKind[history.Length];
        _ = fixture.Spill;
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(() => FollowAsync(fixture, history, kinds, random.Next()))).ToArray();
        for (var at = 0; at < history.Length;)
        {
            var kind = (OutputKind)random.Next(1, 3);
            var count = Math.Min(history.Length - at, random.Next(3) == 0 ? random.Next(1, 4000) : random.Next(1, 300));
            kinds.AsSpan(at, count).Fill(kind);
            await fixture.WriteAsync(history[at..(at + count)], kind);
            at += count;
            if (random.Next(3) == 0)
                fixture.Time.Advance(TimeSpan.FromMilliseconds(random.Next(30)));
            if (random.Next(20) == 0)
                fixture.Spill.Tick();
        }

        fixture.Log.Complete(LogTesting.Exit);
        await Task.WhenAll(readers).WaitAsync(TimeSpan.FromSeconds(60));
        if (fixture.Options.Capacity < 128 * 1024)
            Assert.That(fixture.Size, Is.LessThanOrEqualTo(fixture.Options.Capacity));
    }

    // Attaches again and again where it was. A text reader must give each stream's bytes in order, a binary one each byte at its offset.
    private static async Task FollowAsync(SpillFixture fixture, byte[] history, OutputKind[] kinds, int seed)
    {
        var random = new Random(seed);
        var text = random.Next(2) == 0;
        var lossless = random.Next(3) > 0;
        long at = 0;
        var exact = true;
        var got = new List<byte>[] { [], [] };
        while (true)
        {
            // Between the two pieces of a hole, what will not get its rest and what is behind, it would get the first once more, from disk.
            exact &= lossless || !text || at == 0;
            using var reader = fixture.Log.Attach(new ReaderOptions { From = at, Text = text, Lossless = lossless, Timed = random.Next(2) == 0 });
            for (var reads = random.Next(1, 60); reads > 0; reads--)
            {
                var chunk = await reader.ReadAsync(random.Next(1, 6000), CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
                Assert.That(chunk.Offset, Is.EqualTo(at + chunk.Missed));
                Assert.That(chunk.Offset, Is.LessThanOrEqualTo(chunk.Missed > 0 ? fixture.Log.Start : long.MaxValue), "what is in memory is not missed");
                exact &= chunk.Missed == 0;
                at = chunk.Next;
                if (chunk.Exit is not null)
                {
                    if (fixture.Options.Capacity > 300 * 1024 && lossless)
                        Assert.That(exact, Is.True, "the disk has all of it");
                    if (exact)
                        CheckAll(history, kinds, got);
                    return;
                }

                got[(int)chunk.Kind - 1].AddRange(chunk.Data.Span);
                if (!text)
                    CheckBinary(history, kinds, chunk);
                reader.Release(at);
                if (random.Next(50) == 0)
                    await Task.Delay(1); // it lags
            }
        }
    }

    private static void CheckBinary(byte[] history, OutputKind[] kinds, OutputChunk chunk)
    {
        var from = (int)chunk.Offset;
        Assert.That(chunk.Data.Span.SequenceEqual(history.AsSpan(from, chunk.Data.Length)), Is.True, "the bytes are what was written");
        Assert.That(kinds.AsSpan(from, chunk.Data.Length).IndexOfAnyExcept(chunk.Kind), Is.EqualTo(-1), "and of the stream they were written to");
    }

    private static void CheckAll(byte[] history, OutputKind[] kinds, List<byte>[] got)
    {
        foreach (var kind in new[] { OutputKind.Out, OutputKind.Error })
            Assert.That(got[(int)kind - 1].SequenceEqual(history.Where((_, at) => kinds[at] == kind)), Is.True, $"all of {kind} came, once");
    }
}
