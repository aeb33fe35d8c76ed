using System.Buffers;
using System.Text;
using FurtherLink.Sessions.Logs;

namespace FurtherLink.Tests.Sessions;

public sealed class Utf8TailTests
{
    // Every byte that decides something in table 3-7 of the Unicode standard: ends of ranges and their neighbours.
    private static readonly byte[] Deciding =
    [
        0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ];

    [Test]
    public void Incomplete_EveryCombinationOfDecidingBytes_IsWhatTheRuntimeSays()
    {
        Span<byte> data = stackalloc byte[4];
        for (var i = 0; i < Math.Pow(Deciding.Length, 4); i++)
        {
            for (int n = 0, rest = i; n < 4; n++, rest /= Deciding.Length)
                data[n] = Deciding[rest % Deciding.Length];
            for (var length = 1; length <= 4; length++)
            {
                if (Utf8Tail.IncompleteAtEnd(data[..length]) != Expected(data[..length]))
                    Assert.Fail(Convert.ToHexString(data[..length]));
            }
        }
    }

    [Test]
    public void Prepend_FromSeveralPieces_IsAsIfAppendedInOrder()
    {
        var before = default(Utf8Tail);
        before.Append([1, 2, 3, 4, 5]);
        var tail = default(Utf8Tail);
        tail.Prepend([8]);
        tail.Prepend([6, 7]);
        tail.Prepend(before);
        var bytes = new byte[4];

        Assert.That(tail.Count, Is.EqualTo(4));
        Assert.That(tail.TakeFirst(4, bytes), Is.EqualTo(4));
        Assert.That(bytes, Is.EqualTo(new byte[] { 5, 6, 7, 8 }));
        Assert.That(tail.Count, Is.Zero);
    }

    private static int Expected(ReadOnlySpan<byte> data)
    {
        for (var n = 1; n <= Math.Min(3, data.Length); n++)
        {
            if (Rune.DecodeFromUtf8(data[^n..], out _, out _) == OperationStatus.NeedMoreData)
                return n;
        }

        return 0;
    }
}
