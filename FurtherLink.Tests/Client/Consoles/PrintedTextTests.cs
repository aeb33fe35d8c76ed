using System.Text;
using FurtherLink.Client.Consoles;

namespace FurtherLink.Tests.Client.Consoles;

internal sealed class PrintedTextTests
{
    // What is printed, and what is left of it.
    private static readonly (string Output, string Text)[] Known =
    [
        ("login: ", "login: "),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("one\ntwo", "one\ntwo"),
        ("\e[1;31mred\e[0m and \e[38:5:9mred\e[m", "red and red"),
        ("\e[?2004h$ ls\r\n\e[?2004l\rfile\r\n", "$ ls\nfile\n"),
        ("one\r\r\ntwo\e[K\r\e[J\n", "one\ntwo\n"),
        ("10%\r20%\r", "10%\r20%\r"),
        ("\r\r\n\r$ ", "\n$ "),
        ("\e]0;title\atext\e]2;title\e\\text", "texttext"),
        ("\e]8;;http://x\e\\link\e]8;;\e\\", "link"),
        ("\ePq#0;\a\e\\after\e_\e\\\e^x\e\\\eXx\e\\", "after"),
        ("\e(0\e)B\e=\e>\e7\e8\eMx\e#8", "x"),
        ("a\ab\0c\u000Ed\u000Fe\u007Ff\bg", "abcdefg"),
        ("a\tb", "a\tb"),
        ("\e[31\u0018mtext\e[\u001Amore", "mtextmore"),
        ("\e[1\n2mx\e[3\e[mz", "\nxz"),
        ("é漢字😀\u009Bx", "é漢字😀x"),
        ("\e[!p\e[?12$p\e[ q\e[>c.", "."),
        ("\e", ""),
        ("\r", ""),
    ];

    [Test]
    public void Write_CutAnywhere_LeavesWhatIsPrinted()
    {
        foreach (var (output, text) in Known)
        {
            var bytes = Encoding.UTF8.GetBytes(output);
            for (var first = 0; first <= bytes.Length; first++)
            {
                for (var second = first; second <= bytes.Length; second++)
                    Assert.That(Print(raw: false, bytes[..first], bytes[first..second], bytes[second..]), Is.EqualTo(text), $"{VisibleText.Of(output)} cut at {first} and {second}");
            }
        }
    }

    [Test]
    public void Write_Raw_LeavesEverything()
    {
        const string output = "\e[1mé漢\r\n\e]0;t\a\r";
        var bytes = Encoding.UTF8.GetBytes(output);
        for (var cut = 0; cut <= bytes.Length; cut++)
            Assert.That(Print(raw: true, bytes[..cut], bytes[cut..]), Is.EqualTo(output), $"cut at {cut}");
    }

    [Test]
    public void Write_NoUtf8_ShowsReplacements()
    {
        Assert.That(Print(raw: false, [(byte)'a', 0xFF, (byte)'b', 0xE6], [0xBC]), Is.EqualTo("a\uFFFDb\uFFFD"));
    }

    [Test]
    public void Write_AnyBytes_IsTheSameHoweverTheyAreCut([Random(20)] int seed)
    {
        var random = new Random(seed);
        byte[] favourites = [0x1B, (byte)'[', (byte)']', (byte)'P', (byte)'\\', 0x07, 0x18, (byte)';', (byte)'m', 0x0D, 0x0A, 0xC3, 0xA9, 0x9B, 0xF0, (byte)'x'];
        var bytes = new byte[random.Next(1, 9000)];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = random.Next(3) == 0 ? (byte)random.Next(256) : favourites[random.Next(favourites.Length)];
        var pieces = new List<byte[]>();
        for (var at = 0; at < bytes.Length; at += pieces[^1].Length)
            pieces.Add(bytes[at..Math.Min(bytes.Length, at + random.Next(1, random.Next(2, 3000)))]);
        var text = Print(raw: false, bytes);
        Assert.That(Print(raw: false, [.. pieces]), Is.EqualTo(text), $"seed {seed}");
        Assert.That(text.Where(char.IsControl).Distinct(), Is.SubsetOf(new[] { '\n', '\t', '\r' }), $"seed {seed}");
    }

    private static string Print(bool raw, params byte[][] pieces)
    {
        var text = new UnmatchedText(1 << 20);
        var transcript = new Transcript(4096, TimeProvider.System);
        var printed = new PrintedText(raw);
        foreach (var piece in pieces)
            printed.Write(piece, isEnd: false, text, transcript, 0);
        printed.Write([], isEnd: true, text, transcript, 0);
        return text.Span.ToString();
    }
}
