using System.Text;
using FurtherLink.Sessions.Channels;

namespace FurtherLink.Tests.Sessions;

[TestFixture]
public class ChannelParserTests
{
    private const int Max = 64 * 1024;

    [TestCase("hello endvideo ", "hello")]
    [TestCase("a endvideo b endvideo c endvideo ", "a", "b", "c")]
    [TestCase("two  spaces   here endvideo ", "two  spaces   here")]
    [TestCase("endvideo  endvideo x endvideo ", "x")]
    [TestCase("  endvideo ", " ")]
    [TestCase(" a  endvideo ", " a ")]
    [TestCase("endvideos endvideo ", "endvideos")]
    [TestCase("a endvideos and endvideo\u00e9 endvideo ", "a endvideos and endvideo\u00e9")]
    [TestCase("a endkeylisten b endvideo ", "a endkeylisten b")]
    [TestCase("a endvideo \nb endvideo \r\nc endvideo ", "a", "b", "c")]
    [TestCase("a endvideo\nb endvideo ", "a endvideo\nb")]
    [TestCase("line\nbreak\n endvideo ", "line\nbreak\n")]
    [TestCase("\u20ac\U0001F600 endvideo \u00fc endvideo ", "\u20ac\U0001F600", "\u00fc")]
    [TestCase("unfinished endvide")]
    [TestCase("whole endvideo unfinished", "whole")]
    public void Text_CutAtEveryByte_GivesTheSameMessages(string text, params string[] expected)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            using var parser = NewParser();
            var messages = Feed(parser, bytes.AsSpan(0, cut));
            messages.AddRange(Feed(parser, bytes.AsSpan(cut)));
            Assert.That(messages, Is.EqualTo(expected), $"cut at {cut}");
        }
        using var single = NewParser();
        var oneByOne = new List<string>();
        foreach (var b in bytes)
            oneByOne.AddRange(Feed(single, [b]));
        Assert.That(oneByOne, Is.EqualTo(expected), "byte by byte");
    }

    [TestCase("hello endvideo")]
    [TestCase("hello endvideo\n")]
    [TestCase("hello endvideo\r\n")]
    public void Terminator_WithoutSpace_CountsWhenNothingMoreComes(string text)
    {
        using var parser = NewParser();
        Assert.That(Feed(parser, Encoding.UTF8.GetBytes(text)), Is.Empty);
        Assert.That(parser.IsSpaceMissing, Is.True);
        Assert.That(parser.TryRead(atRest: true, out var message), Is.True);
        Assert.That(message, Is.EqualTo("hello"));
        Assert.That(Feed(parser, " next endvideo "u8), Is.EqualTo(["next"]), "the space that was late is no part of the next text");
    }

    [Test]
    public void Unfinished_AtRest_IsNoMessage()
    {
        using var parser = NewParser();
        Feed(parser, "some text end"u8);
        Assert.That(parser.TryRead(atRest: true, out _), Is.False);
        Assert.That(parser.IsSpaceMissing, Is.False);
        Assert.That(Feed(parser, " endvideo "u8), Is.EqualTo(["some text end"]));
    }

    [Test]
    public void InvalidBytes_BecomeReplacementCharacters_AndTheRestGoesOn()
    {
        using var parser = NewParser();
        byte[] bytes = [(byte)'a', 0xff, (byte)'b', .. " endvideo c endvideo "u8];
        Assert.That(Feed(parser, bytes), Is.EqualTo(["a\ufffdb", "c"]));
    }

    [Test]
    public void Message_OfTheLimit_IsRead_AndOneByteMoreIsDropped()
    {
        using var parser = NewParser();
        var longest = new string('x', Max);
        Assert.That(Feed(parser, Encoding.UTF8.GetBytes(longest + " endvideo ")), Is.EqualTo([longest]));
        Assert.That(Feed(parser, Encoding.UTF8.GetBytes(longest + "x endvideo after endvideo ")), Is.EqualTo(["after"]));
        Assert.That(parser.Dropped, Is.EqualTo(1));
    }

    [Test]
    public void Message_FarOverTheLimit_IsDroppedWithoutBeingKept([Values(1, 7, 4096)] int pieces)
    {
        var budget = new ChannelBudget(Max * 2);
        using var parser = new ChannelParser("video", Max, budget);
        var messages = new List<string>();
        var endless = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("endvideo", 50_000)) + " endvideo next endvideo ");
        for (var at = 0; at < endless.Length; at += pieces)
            messages.AddRange(Feed(parser, endless.AsSpan(at, Math.Min(pieces, endless.Length - at))));
        Assert.That(messages, Is.EqualTo(["next"]));
        Assert.That(parser.Dropped, Is.EqualTo(1));
        Assert.That(budget.TryTake(Max - 4096), Is.True, "the parser holds no more than the limit and its first buffer");
    }

    [Test]
    public void Budget_UsedUp_DropsTheMessageOnly_AndDisposingGivesBack()
    {
        var budget = new ChannelBudget(10_000);
        var big = Encoding.UTF8.GetBytes(new string('x', 20_000) + " endvideo small endvideo ");
        using (var parser = new ChannelParser("video", Max, budget))
        {
            Assert.That(Feed(parser, big), Is.EqualTo(["small"]));
            Assert.That(parser.Dropped, Is.EqualTo(1));
            Assert.That(budget.TryTake(10_000), Is.False);
        }
        Assert.That(budget.TryTake(10_000), Is.True);
    }

    [Test]
    public void RandomTexts_CutAtRandom_ComeBackExactly()
    {
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string[] words = ["", "end", "endvide", "endvideos", "xendvideo", "\u20ac", "\U0001F600", "endkeylisten", "a", "\n", new string('b', 5000)];
        for (var round = 0; round < 300; round++)
        {
            using var parser = NewParser();
            var sent = new List<string>();
            var bytes = new List<byte>();
            for (var n = random.Next(1, 8); n > 0; n--)
            {
                var text = string.Join(' ', Enumerable.Range(0, random.Next(1, 6)).Select(_ => words[random.Next(words.Length)]));
                bytes.AddRange(Encoding.UTF8.GetBytes(text + " endvideo "));
                if (text.TrimStart('\n').Length > 0)
                    sent.Add(text.TrimStart('\n'));
            }
            var received = new List<string>();
            for (var at = 0; at < bytes.Count;)
            {
                var count = Math.Min(random.Next(1, random.Next(2, 3000)), bytes.Count - at);
                received.AddRange(Feed(parser, bytes.GetRange(at, count).ToArray()));
                at += count;
            }
            Assert.That(received, Is.EqualTo(sent), $"seed {seed}, round {round}");
        }
    }

    [Test]
    public void RandomBytes_NeverThrow_AndStayWithinTheBudget()
    {
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        byte[] alphabet = [.. " endvideo \n\r"u8, 0xff, 0xc3];
        for (var round = 0; round < 200; round++)
        {
            var budget = new ChannelBudget(6000);
            using (var parser = new ChannelParser("video", 5000, budget))
            {
                for (var reads = 0; reads < 60; reads++)
                {
                    var bytes = new byte[random.Next(0, 600)];
                    for (var i = 0; i < bytes.Length; i++)
                        bytes[i] = alphabet[random.Next(alphabet.Length)];
                    Assert.That(Feed(parser, bytes).Select(m => m.Length), Has.All.InRange(1, 5000), $"seed {seed}");
                    if (random.Next(4) == 0)
                        while (parser.TryRead(atRest: true, out _))
                            Assert.That(parser.IsSpaceMissing, Is.False);
                }
            }
            Assert.That(budget.TryTake(6000), Is.True, $"seed {seed}: everything was given back");
        }
    }

    private static ChannelParser NewParser() => new("video", Max, new ChannelBudget(4 * Max));

    private static List<string> Feed(ChannelParser parser, ReadOnlySpan<byte> bytes)
    {
        var messages = new List<string>();
        do
        {
            var memory = parser.GetMemory();
            var count = Math.Min(memory.Length, bytes.Length);
            bytes[..count].CopyTo(memory.Span);
            parser.Advance(count);
            bytes = bytes[count..];
            while (parser.TryRead(atRest: false, out var message))
                messages.Add(message);
        }
        while (!bytes.IsEmpty);
        return messages;
    }
}
