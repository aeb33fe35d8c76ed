using FurtherLink.Tests.Gatt.Support;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Gatt.Chunks;

namespace FurtherLink.Tests.Gatt.Chunks;

internal sealed class MalformedChunkTests
{
    private static IEnumerable<TestCaseData> Malformed()
    {
        foreach (var length in Enumerable.Range(0, SpecChunks.HeaderSize))
            yield return Case(new byte[length], $"Only{length}Bytes");
        foreach (var length in new[] { 0, 1, 7 })
            yield return Case([.. Enumerable.Repeat((byte)0xff, length)], $"Only{length}BytesAllOnes");
        foreach (var (last, index) in new[] { (0, 1), (0, 0xffffff), (1, 2), (254, 255), (255, 256), (256, 257), (0xff, 0xff00), (65535, 65536), (0xfffffe, 0xffffff) })
            yield return Case(SpecChunks.Make(1, last, index, [1, 2, 3]), $"Index{index}Of{last}");
        foreach (var payload in new[] { 505, 506, 1024, 65536 })
            yield return Case(SpecChunks.Make(1, 1, 0, new byte[payload]), $"{payload}BytesInAChunk");
    }

    [TestCaseSource(nameof(Malformed))]
    public void Chunk_ThatIsNone_IsRefusedAndTouchesNothing(byte[] chunk)
    {
        var assembler = new ChunkAssembler(10_000, 100_000, new ManualTimeProvider());
        assembler.TryAdd(SpecChunks.Make(1, 1, 0, [1]), out _);
        var held = assembler.Held;

        Assert.That(Assert.Throws<ChunkException>(() => assembler.TryAdd(chunk, out _))!.Message, Is.Not.Empty);

        Assert.That((assembler.Count, assembler.Held, assembler.Dropped), Is.EqualTo((1, held, 0L)));
        Assert.That(assembler.TryAdd(SpecChunks.Make(1, 1, 1, [2]), out var message));
        Assert.That(message.ToArray(), Is.EqualTo(new byte[] { 1, 2 }));
    }

    [Test]
    public void Bytes_ByChance_AreTakenOrRefusedAndNothingElse() => Seeds.ForEach(200, random =>
    {
        var time = new ManualTimeProvider();
        var assembler = new ChunkAssembler(random.Next(1, 5000), random.Next(1, 20_000), time);
        for (var i = 0; i < 300; i++)
        {
            var chunk = random.Message(random.Next(random.Next(2) == 0 ? 20 : 600));
            // Mostly small numbers, so that some fit together.
            for (var at = 0; at < Math.Min(chunk.Length, SpecChunks.HeaderSize); at++)
                chunk[at] = random.Next(8) == 0 ? chunk[at] : (byte)(at is 0 or 2 or 5 ? random.Next(4) : 0);
            try
            {
                if (assembler.TryAdd(chunk, out var message))
                    Assert.That(message.Length, Is.LessThanOrEqualTo(5000));
            }
            catch (ChunkException e)
            {
                Assert.That(e.Message, Is.Not.Empty);
            }

            Assert.That(assembler.Count, Is.InRange(0, ChunkAssembler.MaxMessages));
            Assert.That(assembler.Held, Is.InRange(0, 20_000));
            time.Advance(TimeSpan.FromSeconds(random.Next(3)));
        }

        assembler.Clear();
        Assert.That(assembler.Held, Is.Zero);
    });

    private static TestCaseData Case(byte[] chunk, string name) => new TestCaseData(chunk).SetArgDisplayNames(name);
}
