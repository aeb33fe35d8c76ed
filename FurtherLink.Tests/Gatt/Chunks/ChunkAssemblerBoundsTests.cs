using FurtherLink.Tests.Gatt.Support;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Gatt.Chunks;

namespace FurtherLink.Tests.Gatt.Chunks;

internal sealed class ChunkAssemblerBoundsTests
{
    [Test]
    public void HalfMessages_OfMoreThanThereMayBe_PushOutTheOneTouchedLongestAgo()
    {
        var assembler = new ChunkAssembler(10_000, 100_000, new ManualTimeProvider());
        for (var id = 0; id < ChunkAssembler.MaxMessages; id++)
            assembler.TryAdd(Half(id), out _);
        // The oldest is touched: it is not the oldest any more.
        assembler.TryAdd(SpecChunks.Make(0, 2, 1, [1]), out _);

        assembler.TryAdd(Half(100), out _);

        Assert.Multiple(() =>
        {
            Assert.That(assembler.Count, Is.EqualTo(ChunkAssembler.MaxMessages));
            Assert.That(assembler.Dropped, Is.EqualTo(1));
            Assert.That(assembler.TryAdd(SpecChunks.Make(0, 2, 2, [2]), out var first), "the touched one is whole");
            Assert.That(first.ToArray(), Is.EqualTo(new byte[] { 0, 1, 2 }));
            Assert.That(assembler.TryAdd(SpecChunks.Make(1, 2, 1, []), out _) || assembler.TryAdd(SpecChunks.Make(1, 2, 2, []), out _), Is.False, "the second has gone");
        });
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(504)]
    public void Held_OfHalfMessages_CountsBytesAndWhatKeepsThem(int length)
    {
        var assembler = new ChunkAssembler(10_000, 100_000, new ManualTimeProvider());
        var before = 0;
        for (var id = 0; id < 10; id++)
        {
            assembler.TryAdd(SpecChunks.Make(id, 9, 5, new byte[length]), out _);
            Assert.That(assembler.Held - before, Is.GreaterThan(length), "a message is not free, however empty");
            before = assembler.Held;
        }

        assembler.TryAdd(SpecChunks.Make(0, 9, 6, new byte[length]), out _);
        Assert.That(assembler.Held - before, Is.GreaterThan(length), "nor is a chunk");
    }

    [Test]
    public void Bytes_OfMoreThanMayBeHeld_PushOutTheOldestAndNoMoreThanNeeded()
    {
        var assembler = new ChunkAssembler(10_000, 8 * 1024, new ManualTimeProvider());
        for (var chunk = 0; chunk < 10; chunk++)
        {
            for (var id = 0; id < 4; id++)
                assembler.TryAdd(SpecChunks.Make(id, 99, 98 - chunk, new byte[504]), out _);
            Assert.That(assembler.Held, Is.LessThanOrEqualTo(8 * 1024));
        }

        Assert.Multiple(() =>
        {
            Assert.That(assembler.Count, Is.GreaterThan(0));
            Assert.That(assembler.Dropped, Is.GreaterThan(0));
        });
    }

    [Test]
    public void Message_ThatAloneIsMoreThanMayBeHeld_IsGivenUpWithAWord()
    {
        var assembler = new ChunkAssembler(maxMessage: 1_000_000, maxHeld: 4096, new ManualTimeProvider());
        var added = 0;
        var e = Assert.Throws<ChunkException>(() =>
        {
            for (; added < 1000; added++)
                assembler.TryAdd(SpecChunks.Make(1, 5000, added + 1, new byte[100]), out _);
        });

        Assert.Multiple(() =>
        {
            Assert.That(e!.Message, Does.Contain("4096"));
            Assert.That(added, Is.InRange(10, 40));
            Assert.That((assembler.Count, assembler.Held), Is.EqualTo((0, 0)));
        });
    }

    [TestCase(1000, 100)]
    [TestCase(300, 310)]
    public void Message_LongerThanThereMayBe_IsGivenUpAndOthersAreNot(int maxMessage, int payload)
    {
        var assembler = new ChunkAssembler(maxMessage, 100_000, new ManualTimeProvider());
        assembler.TryAdd(SpecChunks.Make(2, 1, 0, [1]), out _);
        var chunks = SpecChunks.Cut(1, new byte[maxMessage + 1], payload + SpecChunks.HeaderSize);

        Assert.Throws<ChunkException>(() =>
        {
            foreach (var chunk in chunks)
                Assert.That(assembler.TryAdd(chunk, out _), Is.False);
        });

        Assert.That(assembler.Count, Is.EqualTo(1));
        Assert.That(assembler.TryAdd(SpecChunks.Make(2, 1, 1, [2]), out var other) && other.Length == 2);
        Assert.That(Whole(assembler, SpecChunks.Cut(1, new byte[maxMessage], payload + SpecChunks.HeaderSize)), Is.EqualTo(maxMessage), "just as long as it may be");
    }

    [Test]
    public void Message_AsLongAsItMayBe_IsNotTooLongForChunksThatComeTwice()
    {
        var assembler = new ChunkAssembler(5000, 100_000, new ManualTimeProvider());
        var chunks = SpecChunks.Cut(1, new Random(1).Message(5000));

        Assert.That(Whole(assembler, [.. chunks[..^1], .. chunks[..^1], chunks[^1]]), Is.EqualTo(5000));
    }

    [Test]
    public void HalfMessage_WithoutAFurtherChunk_GoesAfterThirtySeconds()
    {
        var time = new ManualTimeProvider();
        var assembler = new ChunkAssembler(10_000, 100_000, time);
        Assert.That(ChunkAssembler.Patience, Is.EqualTo(TimeSpan.FromSeconds(30)));
        assembler.TryAdd(Half(1), out _);
        time.Advance(ChunkAssembler.Patience);
        assembler.TryAdd(SpecChunks.Make(1, 2, 1, [1]), out _);
        assembler.TryAdd(Half(2), out _);
        Assert.That(assembler.Count, Is.EqualTo(2), "a chunk in time prolongs it");

        time.Advance(ChunkAssembler.Patience + TimeSpan.FromTicks(1));
        assembler.TryAdd(Half(3), out _);

        Assert.Multiple(() =>
        {
            Assert.That(assembler.Count, Is.EqualTo(1));
            Assert.That(assembler.Dropped, Is.EqualTo(2));
            Assert.That(assembler.TryAdd(SpecChunks.Make(1, 2, 2, [2]), out _), Is.False);
        });
    }

    [Test]
    public void Flood_OfHalfMessages_HoldsNoMoreThanItMay() => Seeds.ForEach(4, random =>
    {
        const int most = 64 * 1024;
        var assembler = new ChunkAssembler(32 * 1024, most, new ManualTimeProvider());
        long memory = 0;
        for (var i = 0; i < 60_000; i++)
        {
            var last = random.Next(3) == 0 ? ChunkHeader.MaxIndex : random.Next(2, 200);
            try
            {
                // Never the first chunk: none of them is ever whole.
                assembler.TryAdd(SpecChunks.Make(random.Next(65536), last, random.Next(1, last + 1), new byte[random.Next(505)]), out _);
            }
            catch (ChunkException)
            {
                // Too much of one: as good a bound.
            }

            Assert.That((assembler.Count, assembler.Held), Is.LessThanOrEqualTo((ChunkAssembler.MaxMessages, most)).Using<(int Count, int Held)>(
                static (one, other) => one.Count <= other.Count && one.Held <= other.Held && one.Held >= 0 ? -1 : 1));
            if (i == 20_000)
                memory = GC.GetTotalMemory(forceFullCollection: true);
        }

        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - memory, Is.LessThan(16 * 1024 * 1024), "the 30 MB that came after are not kept");
        assembler.Clear();
        Assert.That(assembler.Held, Is.Zero);
    });

    [Test]
    public void Flood_OfEmptyChunksOfOneMessage_HoldsNoMoreThanItMay()
    {
        var assembler = new ChunkAssembler(32 * 1024, 64 * 1024, new ManualTimeProvider());
        Assert.Throws<ChunkException>(() =>
        {
            for (var index = 1; index < 10_000; index++)
            {
                assembler.TryAdd(SpecChunks.Make(1, ChunkHeader.MaxIndex, index, []), out _);
                Assert.That(assembler.Held, Is.LessThanOrEqualTo(64 * 1024));
            }
        });
    }

    private static byte[] Half(int id) => SpecChunks.Make(id, 2, 0, [(byte)id]);

    private static int Whole(ChunkAssembler assembler, List<byte[]> chunks)
    {
        var length = 0;
        foreach (var chunk in chunks)
        {
            if (assembler.TryAdd(chunk, out var message))
                length += message.Length;
        }

        return length;
    }
}
