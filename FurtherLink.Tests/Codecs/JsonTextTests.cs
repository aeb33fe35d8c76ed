using System.Buffers;
using System.Text;
using System.Text.Json;
using FurtherLink.Codecs;

namespace FurtherLink.Tests.Codecs;

public sealed class JsonTextTests
{
    // Texts that stand for everything that is special: ends of UTF-8 lengths, surrogates, escapes, line separators.
    private static readonly string[] Pieces =
    [
        "a", "plain text of some length that has nothing to escape in it", "\n", "\r\n", "\t", "\b", "\f", "\"", "\\", "/", "\0", "\u001b[31m", "\u001f",
        "\u007f", "\u0080", "\u07ff", "\u0800", "\u2028\u2029", "\ufffd", "\uffff", "\U00010000", "\U0010ffff", "€", "😀", "<script>&'+", "é",
    ];

    // Encoding Standard, section 4.1; the examples of Unicode, chapter 3, table 3-8 and around.
    [TestCase("61F18080E180C26280638080BF64", "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFD\uFFFDd")]
    [TestCase("C0AFE080BFF08182", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD")]
    [TestCase("EDA080EDBFBF", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD")]
    [TestCase("F4919293FF4180BF42", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\uFFFD\uFFFDB")]
    [TestCase("E282", "\uFFFD")]
    [TestCase("F09F98", "\uFFFD")]
    [TestCase("F09F9822", "\uFFFD\"")]
    [TestCase("80", "\uFFFD")]
    [TestCase("FE0AFF", "\uFFFD\n\uFFFD")]
    public void Write_InvalidBytes_BecomeOneReplacementForEachMaximalSubpart(string hex, string expected) =>
        Assert.That(Read(Written(Convert.FromHexString(hex))), Is.EqualTo(expected));

    [Test]
    public void Write_EveryByte_IsEscapedAsJsonDoesOrStandsAsItIs()
    {
        for (var b = 0; b < 0x80; b++)
        {
            var expected = b switch
            {
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                '"' => "\\\"",
                '\\' => "\\\\",
                < 0x20 => $"\\u00{b:x2}",
                _ => ((char)b).ToString(),
            };
            Assert.That(Encoding.UTF8.GetString(Written([(byte)b])), Is.EqualTo(expected), $"byte {b}");
        }
    }

    [Test]
    public void Write_RandomText_IsReadBackTheSameAndNotLongerThanByTheStandardWriter()
    {
        var random = Seeded();
        for (var i = 0; i < 3000; i++)
        {
            var text = RandomText(random, random.Next(200));
            var utf8 = Encoding.UTF8.GetBytes(text);
            var written = Written(utf8);
            Assert.Multiple(() =>
            {
                Assert.That(Read(written), Is.EqualTo(text));
                Assert.That(written, Has.Length.LessThanOrEqualTo(JsonEncodedText.Encode(text).EncodedUtf8Bytes.Length));
                Assert.That(Written(text), Is.EqualTo(written), "from UTF-16");
            });
        }
    }

    [Test]
    public void Write_RandomBytes_AreWhatTheSimpleDecoderMakesOfThem()
    {
        var random = Seeded();
        for (var i = 0; i < 5000; i++)
        {
            var bytes = RandomBytes(random, random.Next(1200));
            Assert.That(Read(Written(bytes)), Is.EqualTo(Encoding.UTF8.GetString(bytes)), Convert.ToHexString(bytes));
        }
    }

    [Test]
    public void Write_FullOfEscapes_GrowsWithoutLosingAny([Values(1, 100, 4096, 70_000)] int length)
    {
        var bytes = Enumerable.Repeat((byte)0x1b, length).ToArray();
        Assert.That(Read(Written(bytes)), Is.EqualTo(new string('\u001b', length)));
        bytes[^1] = 0xFF;
        Assert.That(Read(Written(bytes)), Is.EqualTo(new string('\u001b', length - 1) + "\uFFFD"));
    }

    [Test]
    public void Write_LoneSurrogateInUtf16_BecomesAReplacement() =>
        Assert.That(Read(Written("a\ud800b\udc00" + new string('x', 2000) + "\ud83d")), Is.EqualTo("a\uFFFDb\uFFFD" + new string('x', 2000) + "\uFFFD"));

    [Test]
    public void WriteAscii_RandomText_IsAsciiAndReadBackTheSame()
    {
        var random = Seeded();
        for (var i = 0; i < 2000; i++)
        {
            var text = RandomText(random, random.Next(300));
            var output = new ArrayBufferWriter<byte>();
            JsonText.WriteAscii(output, text);
            Assert.That(output.WrittenSpan.IndexOfAnyExceptInRange((byte)' ', (byte)'~'), Is.EqualTo(-1));
            Assert.That(Read(output.WrittenSpan), Is.EqualTo(text));
        }
    }

    [Test]
    public void WriteAscii_SpecialCharacters_AreSpelledAsPythonDoes()
    {
        var output = new ArrayBufferWriter<byte>();
        JsonText.WriteAscii(output, "é😀\u007f\n\u001b/<\ud800\"\\");
        // What python3 -c 'import json; print(json.dumps(...))' prints.
        Assert.That(Encoding.ASCII.GetString(output.WrittenSpan), Is.EqualTo("\\u00e9\\ud83d\\ude00\\u007f\\n\\u001b/<\\ud800\\\"\\\\"));
    }

    [Test]
    public void TryUnescape_WhatAnyWriterEscaped_IsTheTextAgain()
    {
        var random = Seeded();
        for (var i = 0; i < 3000; i++)
        {
            var text = RandomText(random, random.Next(100));
            var ascii = new ArrayBufferWriter<byte>();
            JsonText.WriteAscii(ascii, text);
            foreach (var escaped in new[] { ascii.WrittenSpan.ToArray(), Written(Encoding.UTF8.GetBytes(text)), JsonEncodedText.Encode(text).EncodedUtf8Bytes.ToArray() })
            {
                Assert.That(JsonText.TryUnescape(escaped, out var length));
                Assert.That(Encoding.UTF8.GetString(escaped.AsSpan(0, length)), Is.EqualTo(text));
            }
        }
    }

    [TestCase("\\ud800")]
    [TestCase("\\udc00")]
    [TestCase("x\\ud83dx")]
    [TestCase("\\ud83d\\u0041")]
    [TestCase("\\ud83d\\ud83d")]
    [TestCase("\\ude00\\ud83d")]
    [TestCase("\\ud83d\\n")]
    [TestCase("\\")]
    [TestCase("\\x")]
    [TestCase("\\u12")]
    [TestCase("\\u12g4")]
    [TestCase("\\u+123")]
    public void TryUnescape_LoneSurrogateOrNoEscape_IsRefused(string text) =>
        Assert.That(JsonText.TryUnescape(Encoding.UTF8.GetBytes(text), out _), Is.False);

    [Test]
    public void TryUnescape_RandomBytes_NeverLeavesTheSpan()
    {
        var random = Seeded();
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(40)];
            for (var j = 0; j < bytes.Length; j++)
                bytes[j] = random.Next(3) == 0 ? (byte)'\\' : (byte)"ud8cn0\"x"[random.Next(8)];
            if (JsonText.TryUnescape(bytes, out var length))
                Assert.That(length, Is.InRange(0, bytes.Length));
        }
    }

    [Test]
    public void IsUtf8_AnyBytesInAnySegments_AgreesWithTheWholeArray()
    {
        var random = Seeded();
        for (var i = 0; i < 3000; i++)
        {
            var bytes = random.Next(2) == 0 ? RandomBytes(random, random.Next(12)) : Encoding.UTF8.GetBytes(RandomText(random, random.Next(12)));
            var expected = System.Text.Unicode.Utf8.IsValid(bytes);
            for (var cut = 0; cut <= bytes.Length; cut++)
                Assert.That(JsonText.IsUtf8(Segments.Cut(bytes, cut)), Is.EqualTo(expected), $"{Convert.ToHexString(bytes)} cut at {cut}");
            Assert.That(JsonText.IsUtf8(Segments.Single(bytes)), Is.EqualTo(expected), $"{Convert.ToHexString(bytes)} byte by byte");
        }
    }

    private static Random Seeded()
    {
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        return new Random(seed);
    }

    private static string RandomText(Random random, int pieces) =>
        string.Concat(Enumerable.Range(0, pieces).Select(_ => Pieces[random.Next(Pieces.Length)]));

    // Text with some of its bytes changed, so that every way of being nearly right occurs.
    private static byte[] RandomBytes(Random random, int length)
    {
        var bytes = new byte[length];
        var kind = random.Next(3);
        if (kind == 0)
        {
            random.NextBytes(bytes);
            return bytes;
        }
        var text = Encoding.UTF8.GetBytes(RandomText(random, length));
        text.AsSpan(0, Math.Min(length, text.Length)).CopyTo(bytes);
        for (var i = 0; i < (kind == 1 ? 1 : length / 10) && length > 0; i++)
            bytes[random.Next(length)] = (byte)random.Next(256);
        return bytes;
    }

    private static byte[] Written(ReadOnlySpan<byte> utf8)
    {
        var output = new SmallBuffers();
        JsonText.Write(output, utf8);
        return output.ToArray();
    }

    private static byte[] Written(string text)
    {
        var output = new SmallBuffers();
        JsonText.Write(output, text);
        return output.ToArray();
    }

    private static string Read(ReadOnlySpan<byte> inside) => JsonSerializer.Deserialize<string>([(byte)'"', .. inside, (byte)'"'])!;

    /// <summary>Gives exactly the room that is asked for, so that a writer that takes more than it asked for fails.</summary>
    private sealed class SmallBuffers : IBufferWriter<byte>
    {
        private readonly List<byte> _written = [];
        private byte[] _buffer = [];

        public void Advance(int count) => _written.AddRange(_buffer.AsSpan(0, count));

        public Memory<byte> GetMemory(int sizeHint = 0) => _buffer = new byte[Math.Max(sizeHint, 1)];

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public byte[] ToArray() => [.. _written];
    }
}
