using System.Text;
using FurtherLink.Client.Consoles;

namespace FurtherLink.Tests.Client.Consoles;

internal sealed class UnmatchedTextTests
{
    [Test]
    public void Append_MoreThanItsLimit_LosesTheOldest()
    {
        var text = new UnmatchedText(10);
        text.Append("0123456");
        text.Append("789ab");
        Assert.That((text.Span.ToString(), text.Dropped, text.Position), Is.EqualTo(("23456789ab", 2L, 2L)));
        text.Append("ABCDEFGHIJKLMN");
        Assert.That((text.Span.ToString(), text.Dropped, text.Position), Is.EqualTo(("EFGHIJKLMN", 16L, 16L)));
    }

    [Test]
    public void Take_AfterLosses_BeginsAnew()
    {
        var text = new UnmatchedText(4);
        text.Append("abcdef");
        Assert.That((text.Take(3), text.Span.ToString(), text.Dropped, text.Position), Is.EqualTo(("cde", "f", 0L, 5L)));
    }

    [Test]
    public void AppendAndTake_Random_AreWhatAStringDoes([Random(5)] int seed)
    {
        var random = new Random(seed);
        const int limit = 500;
        var text = new UnmatchedText(limit);
        var expected = new StringBuilder();
        for (var i = 0; i < 3000; i++)
        {
            if (random.Next(3) == 0)
            {
                var length = random.Next(expected.Length + 1);
                Assert.That(text.Take(length), Is.EqualTo(expected.ToString(0, length)), $"seed {seed}");
                expected.Remove(0, length);
            }
            else
            {
                var more = string.Concat(Enumerable.Range(0, random.Next(200)).Select(_ => (char)random.Next('a', 'z')));
                text.Append(more);
                expected.Append(more);
                expected.Remove(0, Math.Max(0, expected.Length - limit));
            }

            Assert.That(text.Span.ToString(), Is.EqualTo(expected.ToString()), $"seed {seed}");
        }
    }
}
