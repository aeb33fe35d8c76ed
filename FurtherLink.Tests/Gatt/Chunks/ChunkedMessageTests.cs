using System.Buffers;
using FurtherLink.Tests.Gatt.Support;
using FurtherLink.Transports.Gatt.Chunks;

namespace FurtherLink.Tests.Gatt.Chunks;

internal sealed class ChunkedMessageTests
{
    [Test]
    public void Chunks_OfAnyMessageAndSize_AreThoseOfTheProtocol() => Seeds.ForEach(400, random =>
    {
        var size = random.Next(ChunkedMessage.MinChunk, ChunkedMessage.MaxChunk + 1);
        var payload = size - SpecChunks.HeaderSize;
        // Some fill their chunks exactly, some by one more or less.
        var length = random.Next(4) > 0 ? random.Next(5000) : Math.Max(0, (random.Next(6) * payload) + random.Next(-1, 2));
        var (id, message) = ((ushort)random.Next(65536), random.Message(length));

        Assert.That(Cut(id, Parts(message, random), size), Is.EqualTo(SpecChunks.Cut(id, message, size)), $"{length} bytes in chunks of {size}");
    });

    [TestCase(0, 1)]
    [TestCase(503, 1)]
    [TestCase(504, 2)]
    [TestCase(505, 2)]
    [TestCase(1008, 3)]
    public void Message_ThatFillsItsChunks_EndsWithAnEmptyOne(int length, int count)
    {
        var chunks = Cut(1, new ReadOnlySequence<byte>(new byte[length]), 512);

        Assert.That(chunks, Has.Count.EqualTo(count));
        Assert.That(chunks[^1], Has.Length.EqualTo(SpecChunks.HeaderSize + (length % 504)));
    }

    [Test]
    public void Message_OfMoreThan65536Chunks_KeepsCountInThreeBytes()
    {
        var message = new ChunkedMessage(0x1234, new ReadOnlySequence<byte>(new byte[700_000]), ChunkedMessage.MinChunk);
        var chunk = new byte[ChunkedMessage.MinChunk];

        Assert.That(message.Count, Is.EqualTo(70_001));
        Assert.That(message.Write(69_999, chunk), Is.EqualTo(chunk.Length));
        Assert.That(SpecChunks.Split(chunk), Is.EqualTo((0x1234, 70_000, 69_999, new byte[10])).Using<(int Id, int Last, int Index, byte[] Payload)>(
            static (one, other) => (one.Id, one.Last, one.Index) == (other.Id, other.Last, other.Index) && one.Payload.SequenceEqual(other.Payload)));
    }

    [TestCase(-1)]
    [TestCase(2)]
    public void Write_OfAChunkThatIsNone_Throws(int index)
    {
        var message = new ChunkedMessage(1, new ReadOnlySequence<byte>(new byte[504]), 512);
        Assert.Throws<ArgumentOutOfRangeException>(() => message.Write(index, new byte[512]));
    }

    [TestCase(ChunkedMessage.MinChunk - 1)]
    [TestCase(ChunkedMessage.MaxChunk + 1)]
    [TestCase(-1)]
    public void Size_ThatNoLinkHas_Throws(int size) => Assert.Throws<ArgumentOutOfRangeException>(() => _ = new ChunkedMessage(1, default, size));

    [TestCase(null, 500)]
    [TestCase(0, 18)]
    [TestCase(23, 18)]
    [TestCase(24, 19)]
    [TestCase(185, 180)]
    [TestCase(247, 242)]
    [TestCase(505, 500)]
    [TestCase(517, 500)]
    [TestCase(65535, 500)]
    public void Size_ForALink_SurvivesWhatItIsCutTo(int? mtu, int size) => Assert.That(ChunkedMessage.SizeFor(mtu), Is.EqualTo(size));

    private static List<byte[]> Cut(ushort id, ReadOnlySequence<byte> bytes, int size)
    {
        var message = new ChunkedMessage(id, bytes, size);
        var buffer = new byte[size];
        return [.. Enumerable.Range(0, message.Count).Select(index => buffer[..message.Write(index, buffer)])];
    }

    /// <summary>A message whose bytes lie in several places.</summary>
    private static ReadOnlySequence<byte> Parts(byte[] message, Random random)
    {
        var first = new Part(ReadOnlyMemory<byte>.Empty, 0);
        var last = first;
        for (var start = 0; start < message.Length;)
        {
            var length = random.Next(1, message.Length - start + 1);
            last = last.Append(message.AsMemory(start, length));
            start += length;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(ReadOnlyMemory<byte> bytes, long start) => (Memory, RunningIndex) = (bytes, start);

        public Part Append(ReadOnlyMemory<byte> bytes)
        {
            var next = new Part(bytes, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
