using FurtherLink.Tests.Gatt.Support;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Gatt.Chunks;

namespace FurtherLink.Tests.Gatt.Chunks;

internal sealed class ChunkAssemblerTests
{
    private const int MaxMessage = 100_000;
    private const int MaxHeld = 400_000;

    [Test]
    public void Messages_InAnyOrderInterleaved_ComeOutWholeOnce() => Seeds.ForEach(300, random =>
    {
        var assembler = New();
        var messages = Enumerable.Range(0, random.Next(1, ChunkAssembler.MaxMessages + 1))
            .Select(_ => random.Message(random.Next(10) == 0 ? random.Next(3) * 504 : random.Next(6000))).ToArray();
        var chunks = messages.SelectMany((message, id) => SpecChunks.Cut(id * 4099, message, random.Next(18, 513))).ToArray();
        random.Shuffle(chunks);

        var whole = new Dictionary<int, byte[]>();
        foreach (var chunk in chunks)
        {
            if (assembler.TryAdd(chunk, out var message))
                Assert.That(whole.TryAdd(SpecChunks.Split(chunk).Id / 4099, message.ToArray()), "a message comes out once");
        }

        Assert.That(messages.Select((_, id) => whole.GetValueOrDefault(id)), Is.EqualTo(messages));
        Assert.Multiple(() =>
        {
            Assert.That(assembler.Count, Is.Zero);
            Assert.That(assembler.Held, Is.Zero);
            Assert.That(assembler.Dropped, Is.Zero);
        });
    });

    [Test]
    public void Message_DoubledInItsMidst_ComesOutOnce() => Seeds.ForEach(100, random =>
    {
        var assembler = New();
        var message = random.Message(random.Next(505, 6000));
        var chunks = SpecChunks.Cut(7, message, 100);
        var first = chunks[..^1].Concat(chunks[..^1]).ToArray();
        random.Shuffle(first);

        Assert.That(Add(assembler, first), Is.Empty);
        Assert.That(Add(assembler, [chunks[^1]]), Is.EqualTo(new[] { message }));
        Assert.That(assembler.Held, Is.Zero);
    });

    [Test]
    public void Payloads_OfUnequalLengths_StandInTheOrderOfTheirIndices() => Seeds.ForEach(200, random =>
    {
        var payloads = Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Message(random.Next(505))).ToArray();
        var chunks = payloads.Select((payload, index) => SpecChunks.Make(9, payloads.Length - 1, index, payload)).ToArray();
        random.Shuffle(chunks);

        Assert.That(Add(New(), chunks), Is.EqualTo(new[] { payloads.SelectMany(static one => one) }));
    });

    [TestCase(504)]
    [TestCase(1008)]
    [TestCase(5040)]
    public void Message_ThatFillsItsChunks_IsTakenWithAnEmptyOneAtItsEndAndWithout(int length)
    {
        var message = new Random(length).Message(length);
        var with = SpecChunks.Cut(1, message);
        var without = message.Chunk(504).Select((payload, index) => SpecChunks.Make(2, (length / 504) - 1, index, payload));

        Assert.That(with[^1], Has.Length.EqualTo(SpecChunks.HeaderSize));
        Assert.That(Add(New(), [.. with, .. without]), Is.EqualTo(new[] { message, message }));
    }

    [Test]
    public void Messages_OfOneIdAndDifferentWords_AreEachTaken() =>
        Assert.That(Add(New(), [.. "client"u8.ToArray().SelectMany(static one => SpecChunks.Cut(1, [one]))]), Has.Count.EqualTo(6));

    [Test]
    public void Message_ThatWasGivenUp_CanBeSentAgainAtOnce()
    {
        var assembler = New();
        var again = SpecChunks.Cut(1, new byte[600]);
        Add(assembler, [again[0]]);
        // Others push it out.
        for (var id = 2; id < 2 + ChunkAssembler.MaxMessages; id++)
            Add(assembler, [SpecChunks.Make(id, 1, 0, [])]);
        Assert.That(assembler.Dropped, Is.EqualTo(1));

        Assert.That(Add(assembler, again), Has.Count.EqualTo(1));
    }

    [Test]
    public void Message_OfAnotherCountUnderTheSameId_TakesThePlaceOfTheOne()
    {
        var assembler = New();
        var message = new Random(1).Message(1200);
        Add(assembler, SpecChunks.Cut(5, new byte[3000])[..3]);

        Assert.That(Add(assembler, SpecChunks.Cut(5, message)), Is.EqualTo(new[] { message }));
        Assert.Multiple(() =>
        {
            Assert.That(assembler.Dropped, Is.EqualTo(1));
            Assert.That(assembler.Held, Is.Zero);
        });
    }

    [Test]
    public void Clear_OfWhatIsHalfReceived_LeavesNothing()
    {
        var assembler = New();
        foreach (var id in new[] { 1, 2, 3 })
            Add(assembler, SpecChunks.Cut(id, new byte[2000])[1..3]);

        assembler.Clear();

        Assert.That((assembler.Count, assembler.Held), Is.EqualTo((0, 0)));
        Assert.That(Add(assembler, SpecChunks.Cut(1, new byte[2000])), Has.Count.EqualTo(1), "and nothing is remembered");
    }

    private static ChunkAssembler New(TimeProvider? time = null) => new(MaxMessage, MaxHeld, time ?? new ManualTimeProvider());

    private static List<byte[]> Add(ChunkAssembler assembler, IEnumerable<byte[]> chunks)
    {
        var whole = new List<byte[]>();
        foreach (var chunk in chunks)
        {
            if (assembler.TryAdd(chunk, out var message))
                whole.Add(message.ToArray());
        }

        return whole;
    }
}
