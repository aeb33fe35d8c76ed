using System.Text;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Sessions.Logs;

namespace FurtherLink.Tests.Sessions;

public sealed class OutputReaderTextTests
{
    // Characters of one to four bytes; each kind of ill-formed sequence; characters cut short by others and by the end.
    private static readonly byte[][] Samples =
    [
        "aé€😀z"u8.ToArray(),
        "😀😀😀"u8.ToArray(),
        [0x80, 0xBF, (byte)'a', 0xC0, 0xAF, 0xF8, 0xFF],
        [0xE2, 0x82, (byte)'a', 0xE2, 0x82, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0xC3, 0xA9],
        [0xE0, 0x80, 0x80, 0xED, 0xA0, 0x80, 0xF0, 0x80, 0x80, 0x80, 0xF4, 0x90, 0x80, 0x80],
        [0xF0, 0x9F, 0xF0, 0x9F, 0x98, 0xE2, 0xC3, (byte)'b', 0xF0, 0x9F, 0x98],
        [(byte)'a', 0xE2, 0x82],
    ];

    [Test]
    public void TryRead_CutAtEveryByteWithTheOtherStreamBetween_DecodesAsTheWhole([ValueSource(nameof(Samples))] byte[] sample, [Values] bool between)
    {
        for (var first = 0; first <= sample.Length; first++)
        {
            for (var second = first; second <= sample.Length; second++)
            {
                using var log = new OutputLog(new LogOptions());
                using var reader = log.Attach(new ReaderOptions { Text = true });
                var chunks = new List<OutputChunk>();
                foreach (var part in new[] { sample[..first], sample[first..second], sample[second..] })
                {
                    log.PutNow(part);
                    chunks.AddRange(reader.ReadAll());
                    if (between)
                        log.PutNow([0xC3], OutputKind.Error);
                    chunks.AddRange(reader.ReadAll());
                }

                log.Complete(LogTesting.Exit);
                chunks.AddRange(reader.ReadAll());

                Assert.That(chunks.Of(), Is.EqualTo(sample));
                Assert.That(Decode(chunks), Is.EqualTo(Encoding.UTF8.GetString(sample)), $"cut at {first} and {second}");
            }
        }
    }

    [Test]
    public void TryRead_OfFewBytes_GivesNoMoreUnlessForOneCharacter([ValueSource(nameof(Samples))] byte[] sample, [Values(1, 2, 3, 4)] int maxBytes)
    {
        using var log = new OutputLog(new LogOptions());
        using var reader = log.Attach(new ReaderOptions { Text = true });
        log.PutNow(sample);
        log.Complete(LogTesting.Exit);
        var chunks = reader.ReadAll(maxBytes);

        Assert.That(Decode(chunks), Is.EqualTo(Encoding.UTF8.GetString(sample)));
        foreach (var chunk in chunks.Where(chunk => chunk.Data.Length > maxBytes))
            Assert.That((chunk.Data.Length <= 4, Utf8Tail.IncompleteAtEnd(chunk.Data.Span[..maxBytes])), Is.EqualTo((true, maxBytes)), "a character that does not fit");
    }

    [Test]
    public void Attach_AtEveryNext_GetsExactlyTheRest([ValueSource(nameof(Samples))] byte[] sample)
    {
        for (var cut = 0; cut <= sample.Length; cut++)
        {
            using var log = new OutputLog(new LogOptions { Capacity = 4096 });
            using var reader = log.Attach(new ReaderOptions { Text = true });
            var live = new List<OutputChunk>();
            Write(sample[..cut], OutputKind.Out);
            Write([0xC3], OutputKind.Error);
            Write(sample[cut..], OutputKind.Out);
            Write([0xA9, 0xE2], OutputKind.Error);
            log.Complete(LogTesting.Exit);
            live.AddRange(reader.ReadAll(4));
            Resume(log, live);

            Assert.That(live.Of(), Is.EqualTo(sample));
            Assert.That(live.Of(OutputKind.Error), Is.EqualTo(new byte[] { 0xC3, 0xA9, 0xE2 }));

            void Write(byte[] data, OutputKind kind)
            {
                foreach (var b in data)
                {
                    log.PutNow([b], kind);
                    live.AddRange(reader.ReadAll(4));
                    Resume(log, live);
                }
            }
        }
    }

    [Test]
    public void Attach_AtEveryNextWhatIsBeforeItOverwritten_GetsExactlyTheRest([ValueSource(nameof(Samples))] byte[] sample)
    {
        for (var cut = 0; cut <= sample.Length; cut++)
        {
            // 6000: full in the middle of a block, so that the start moves byte by byte.
            using var log = new OutputLog(new LogOptions { Capacity = 6000 });
            using var reader = log.Attach(new ReaderOptions { Text = true });
            log.PutNow(sample.AsSpan(0, cut));
            log.PutNow([0xC3], OutputKind.Error);
            log.PutNow(sample.AsSpan(cut));
            log.PutNow([0xA9, 0xE2], OutputKind.Error);
            var live = reader.ReadAll(4);
            log.PutNow(Enumerable.Repeat((byte)'x', 5500).ToArray());
            Assert.That(log.Start, Is.Zero);
            var resumed = 0;
            while (log.Start < sample.Length + 3)
            {
                var start = log.Start;
                log.PutNow("x"u8);
                live.AddRange(reader.ReadAll());
                if (log.Start > start)
                    resumed += Resume(log, live, upTo: sample.Length + 4);
            }

            Assert.That(resumed, Is.Positive);
        }
    }

    [Test]
    public void TryRead_CharacterBeforeTheHoleAndAtItsEnd_NeitherVanishesUnsaidNorIsCut()
    {
        using var log = new OutputLog(new LogOptions { Capacity = 4096 });
        using var reader = log.Attach(new ReaderOptions { Text = true, Lossless = false });
        log.PutNow([(byte)'a', 0xE2, 0x82]);
        log.PutNow("e"u8, OutputKind.Error);
        var before = reader.ReadAll();
        Assert.That(before.Of(), Is.EqualTo("a"u8.ToArray()));
        for (var i = 0; i < 3000; i++)
            log.PutNow("€"u8);

        var chunks = reader.ReadAll();

        Assert.That(chunks[0].Data.ToArray(), Is.EqualTo(new byte[] { 0xE2, 0x82 }), "what waited");
        Assert.That((chunks[0].Missed, chunks[0].Next), Is.EqualTo((0L, 4L)));
        Assert.That(chunks[1].Missed, Is.EqualTo(log.Start - 4));
        Assert.That(Encoding.UTF8.GetString(chunks[1..].Of()), Is.EqualTo(new string('€', (int)(log.End - log.Start + 2) / 3)));
    }

    [Test]
    public void TryRead_FewerBytesThanACharacter_GivesTheCharacter()
    {
        using var log = new OutputLog(new LogOptions());
        using var reader = log.Attach(new ReaderOptions { Text = true });
        log.PutNow("😀é"u8);

        Assert.That(reader.ReadAll(1).Select(c => Encoding.UTF8.GetString(c.Data.Span)), Is.EqualTo(new[] { "😀", "é" }));
    }

    [Test]
    public void TryRead_Binary_HoldsNothingBack()
    {
        using var log = new OutputLog(new LogOptions());
        using var reader = log.Attach(new ReaderOptions());
        log.PutNow([0xF0, 0x9F]);

        Assert.That(reader.ReadAll().Of(), Is.EqualTo(new byte[] { 0xF0, 0x9F }));
    }

    [Test]
    public void Attach_BehindTheEnd_EachStepIsOneCutCharacter()
    {
        using var log = new OutputLog(new LogOptions());
        log.PutNow([0xE2, 0x82]);
        log.PutNow([0xC3], OutputKind.Error);
        log.Complete(LogTesting.Exit);

        Assert.That(Read(0), Is.EqualTo("E282 C3 exit"));
        Assert.That(Read(3), Is.EqualTo("E282 C3 exit"));
        Assert.That(Read(4), Is.EqualTo("C3 exit"));
        Assert.That(Read(5), Is.EqualTo("exit"));
        Assert.That(Read(99), Is.EqualTo("exit"));

        string Read(long from)
        {
            using var reader = log.Attach(new ReaderOptions { From = from, Text = true });
            return string.Join(' ', reader.ReadAll().Select(c => c.Exit is null ? Convert.ToHexString(c.Data.Span) : "exit"));
        }
    }

    // Whoever goes on from what any piece said gets the pieces that follow it, joined differently at most.
    private static int Resume(OutputLog log, List<OutputChunk> live, long upTo = long.MaxValue)
    {
        var resumed = 0;
        for (var i = 0; i < live.Count; i++)
        {
            if (live[i].Next < log.Start || live[i].Next > upTo)
                continue;
            using var reader = log.Attach(new ReaderOptions { From = live[i].Next, Text = true, Lossless = false });
            var chunks = reader.ReadAll();
            foreach (var kind in new[] { OutputKind.Out, OutputKind.Error })
                Assert.That(chunks.Of(kind).SequenceEqual(live[(i + 1)..].Of(kind)), Is.True, $"from {live[i].Next}, {kind}");
            Assert.That(chunks.Sum(c => c.Missed), Is.Zero);
            resumed++;
        }

        return resumed;
    }

    private static string Decode(IEnumerable<OutputChunk> chunks) =>
        string.Concat(chunks.Where(c => c.Kind == OutputKind.Out).Select(c => Encoding.UTF8.GetString(c.Data.Span)));
}
