using System.Text;
using System.Text.Json;
using FurtherLink.Device;

namespace FurtherLink.Tests.Device;

[TestFixture]
internal sealed class ContentWriterTests
{
    private string _path = "";

    [SetUp]
    public void MakeFile() => _path = Path.GetTempFileName();

    [TearDown]
    public void RemoveFile() => File.Delete(_path);

    [TestCase("")]
    [TestCase("plain")]
    [TestCase("""\"\\\/\b\f\n\r\t""")]
    [TestCase("""\u0000\u00e9\u20AC\ud83d\ude00😀€é""")]
    [TestCase("""\\u0041\\\u0041\\\\""")]
    public void Text_CutAnywhere_IsWhatTheFrameworkReads(string raw)
    {
        var expected = JsonDocument.Parse($"\"{raw}\"").RootElement.GetString();
        var bytes = Encoding.UTF8.GetBytes(raw + "\"tail");
        for (var first = 0; first <= bytes.Length - 4; first++)
        {
            for (var second = first; second <= bytes.Length - 4; second++)
            {
                var (fault, content) = Write(isBase64: false, bytes[..first], bytes[first..second], bytes[second..]);
                Assert.That(fault, Is.EqualTo(ContentFault.None));
                Assert.That(Encoding.UTF8.GetString(content), Is.EqualTo(expected), $"cut at {first} and {second}");
            }
        }
    }

    [TestCase("""\ud800""", ContentFault.HalfSurrogate)]
    [TestCase("""\udc00x""", ContentFault.HalfSurrogate)]
    [TestCase("""\ud800x""", ContentFault.HalfSurrogate)]
    [TestCase("""\ud800\n""", ContentFault.HalfSurrogate)]
    [TestCase("""\ud800\\""", ContentFault.HalfSurrogate)]
    [TestCase("""\ud800\ud800\udc00""", ContentFault.HalfSurrogate)]
    [TestCase("""\ud800\u0041""", ContentFault.HalfSurrogate)]
    [TestCase("""\x""", ContentFault.NotJson)]
    [TestCase("""\u12g4""", ContentFault.NotJson)]
    [TestCase("""\u 123""", ContentFault.NotJson)]
    [TestCase("""\ud800\ux""", ContentFault.NotJson)]
    [TestCase("""\ud800\x""", ContentFault.NotJson)]
    [TestCase("a\nb", ContentFault.NotJson)]
    [TestCase("a\0b", ContentFault.NotJson)]
    public void Text_ThatIsNone_IsTheSameFaultWhereverItIsCut(string raw, ContentFault expected)
    {
        // Long enough that no escape is cut off by the end.
        var bytes = Encoding.UTF8.GetBytes(raw + "            \"");
        for (var cut = 0; cut <= bytes.Length; cut++)
            Assert.That(Write(isBase64: false, bytes[..cut], bytes[cut..]).Fault, Is.EqualTo(expected), $"cut at {cut}");
    }

    [Test]
    public void Text_NotUtf8_IsAFault()
    {
        byte[][] broken = [[0xC3], [0xE2, 0x82], [0xFF], [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x98]];
        foreach (var bytes in broken)
        {
            Assert.That(Write(false, [.. bytes, (byte)'"']).Fault, Is.EqualTo(ContentFault.NotUtf8));
            Assert.That(Write(true, [.. bytes, (byte)'"']).Fault, Is.EqualTo(ContentFault.NotUtf8));
            // Also where what is written at once ends within it.
            byte[] far = [.. Enumerable.Repeat((byte)'x', (64 * 1024) - 1), .. bytes, (byte)'x', (byte)'"'];
            Assert.That(Write(false, far).Fault, Is.EqualTo(ContentFault.NotUtf8));
        }
    }

    [Test]
    public void Text_OfAnySize_IsWrittenExactly()
    {
        foreach (var size in (int[])[65_534, 65_535, 65_536, 65_537, 131_071, 131_073])
        {
            foreach (var last in (string[])["x", "é", "€", "😀"])
            {
                var text = new string('x', size) + last + "end";
                Assert.That(Encoding.UTF8.GetString(Write(false, Encoding.UTF8.GetBytes(text + '"')).Content), Is.EqualTo(text));
            }
        }
    }

    [Test]
    public void Base64_WithSpaceAndCutAnywhere_IsDecoded()
    {
        var random = new Random(4);
        foreach (var size in (int[])[0, 1, 2, 3, 4, 5, 49_151, 49_152, 49_153, 100_000])
        {
            var bytes = new byte[size];
            random.NextBytes(bytes);
            var text = Convert.ToBase64String(bytes, size % 2 == 0 ? Base64FormattingOptions.InsertLineBreaks : Base64FormattingOptions.None);
            var raw = Encoding.UTF8.GetBytes(text.ReplaceLineEndings("""\r\n""") + " \"");
            var cut = random.Next(raw.Length);
            var (fault, content) = Write(isBase64: true, raw[..cut], raw[cut..]);
            Assert.That(fault, Is.EqualTo(ContentFault.None), $"{size} bytes");
            Assert.That(content.AsSpan().SequenceEqual(bytes), Is.True, $"{size} bytes, cut at {cut}");
        }
    }

    [TestCase("A")]
    [TestCase("AAA")]
    [TestCase("AA=")]
    [TestCase("AA=A")]
    [TestCase("AA==AAAA")]
    [TestCase("====")]
    [TestCase("AA!A")]
    [TestCase("AAAAé")]
    public void Base64_ThatIsNone_IsAFault(string text)
    {
        Assert.That(Write(true, Encoding.UTF8.GetBytes(text + '"')).Fault, Is.EqualTo(ContentFault.NotBase64));
        // And where much has been decoded before, or comes after it.
        var far = new string('A', 65_536);
        Assert.That(Write(true, Encoding.UTF8.GetBytes(far + text + '"')).Fault, Is.EqualTo(ContentFault.NotBase64));
        Assert.That(Write(true, Encoding.UTF8.GetBytes(new string('A', 65_532) + text + far + "!\"")).Fault, Is.EqualTo(ContentFault.NotBase64));
    }

    private (ContentFault Fault, byte[] Content) Write(bool isBase64, params byte[][] pieces)
    {
        using var file = File.OpenHandle(_path, FileMode.Create, FileAccess.ReadWrite);
        using var writer = new ContentWriter(file, isBase64);
        var ended = false;
        for (var i = 0; i < pieces.Length && !ended; i++)
        {
            var taken = writer.Take(pieces[i], out ended);
            Assert.That(taken, ended ? Is.LessThanOrEqualTo(pieces[i].Length) : Is.EqualTo(pieces[i].Length));
        }
        writer.Finish();
        Assert.That(ended || writer.Fault >= ContentFault.NotJson, Is.True);
        var content = new byte[RandomAccess.GetLength(file)];
        Assert.That(RandomAccess.Read(file, content, 0), Is.EqualTo(content.Length));
        Assert.That(writer.Length, Is.EqualTo(content.Length));
        return (writer.Fault, content);
    }
}
