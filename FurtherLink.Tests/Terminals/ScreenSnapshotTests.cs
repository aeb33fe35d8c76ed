using FurtherLink.Terminals;

namespace FurtherLink.Tests.Terminals;

/// <summary>What a snapshot says, on a screen of 4 rows of 10 columns.</summary>
[TestFixture]
internal sealed class ScreenSnapshotTests
{
    [TestCase("", "␛c␛[1;1H")]
    [TestCase("ab␍␊c", "␛c␛[1;1Hab␛[2;1Hc␛[2;1Hc")]
    [TestCase("ab␍␊c␍", "␛c␛[1;1Hab␛[2;1Hc␛[2;1H")]
    [TestCase("a    b␍", "␛c␛[1;1Ha␛[6Gb␛[1;1H")]
    [TestCase("␛[4;10Hx␛[H", "␛c␛[4;10Hx␛[1;1H")]
    [TestCase("0123456789", "␛c␛[1;1H0123456789␛[1;10H9")]
    [TestCase("0123456789␛[1m", "␛c␛[1;1H0123456789␛[1;10H9␛[0;1m")]
    [TestCase("␛[1;31ma␛[mb␍", "␛c␛[1;1H␛[0;1;31ma␛[0mb␛[1;1H")]
    [TestCase("␛[44m␛[J", "␛c␛[1;1H␛[0;44m␛[K␛[2;1H␛[K␛[3;1H␛[K␛[4;1H␛[K␛[1;1H")]
    [TestCase("␛[44mab␛[K␛[m␍", "␛c␛[1;1H␛[0;44mab␛[K␛[1;1H␛[0m")]
    [TestCase("日本x␍", "␛c␛[1;1H日本x␛[1;1H")]
    [TestCase("👍x␍", "␛c␛[1;1H👍␛[3Gx␛[1;1H")]
    [TestCase("␛]0;name␇", "␛c␛]2;name␛\\␛[1;1H")]
    [TestCase("␛[?1h␛[?25l␛[?2004h", "␛c␛[?1h␛[?25l␛[?2004h␛[1;1H")]
    [TestCase("␛[?1002h␛[?1006h", "␛c␛[?1002h␛[?1006h␛[1;1H")]
    [TestCase("␛[?1000h␛[?1003h␛[?1003l", "␛c␛[1;1H")]
    [TestCase("␛=", "␛c␛=␛[1;1H")]
    [TestCase("␛[?66h", "␛c␛=␛[1;1H")]
    [TestCase("␛=␛>", "␛c␛[1;1H")]
    [TestCase("␛[?5h␛[?12h␛[?1004h␛[?1007h␛[?9h␛[?1015h", "␛c␛[?5h␛[?12h␛[?1004h␛[?1007h␛[?9h␛[?1015h␛[1;1H")]
    [TestCase("␛[?7l", "␛c␛[?7l␛[1;1H")]
    [TestCase("␛[4h␛[20h", "␛c␛[20h␛[1;1H␛[4h")]
    [TestCase("␛[4hab", "␛c␛[1;1Hab␛[1;2H␛[4h␛[1Pb")]
    [TestCase("␛[3 q", "␛c␛[3 q␛[1;1H")]
    [TestCase("␛[2;3r␛[?6h", "␛c␛[2;3r␛[?6h␛[1;1H")]
    [TestCase("␛[3;4H␛7␛[H", "␛c␛[3;4H␛7␛[1;1H")]
    [TestCase("␛(0␎", "␛c␛[1;1H␛(0␎")]
    [TestCase("␛[5G␛H␛[3g␛H␍", "␛c␛[3g␛[5G␛H␛[1;1H")]
    [TestCase("ab␛[?1049hc", "␛c␛[1;1Hab␛[1;3H␛[?1049h␛[2J␛[1;3Hc␛[1;3Hc")]
    public void Snapshot_SaysWhatDiffersFromAReset(string output, string snapshot)
    {
        var screen = ScreenText.Show(output);
        Assert.That(screen.ReadableSnapshot(), Is.EqualTo(snapshot));
        screen.Copy();
    }

    [TestCase("␛[1m", "␛[0;1m")]
    [TestCase("␛[1;2;3;4;5;7;8;9;53m", "␛[0;1;2;3;5;7;8;9;53;4m")]
    [TestCase("␛[1;2;3;4;5;7;8;9;53m␛[22;23;24;25;27;28;29;55m", "")]
    [TestCase("␛[1m␛[m", "")]
    [TestCase("␛[1m␛[0m", "")]
    [TestCase("␛[1;;m", "")]
    [TestCase("␛[21m", "␛[0;4:2m")]
    [TestCase("␛[4:3m", "␛[0;4:3m")]
    [TestCase("␛[4:3m␛[4:0m", "")]
    [TestCase("␛[4:9m", "")]
    [TestCase("␛[31;42m", "␛[0;31;42m")]
    [TestCase("␛[91;102m", "␛[0;91;102m")]
    [TestCase("␛[31;42m␛[39;49m", "")]
    [TestCase("␛[38;5;1m", "␛[0;31m")]
    [TestCase("␛[38;5;200;1m", "␛[0;1;38;5;200m")]
    [TestCase("␛[38:5:200;1m", "␛[0;1;38;5;200m")]
    [TestCase("␛[48;2;1;2;3;1m", "␛[0;1;48;2;1;2;3m")]
    [TestCase("␛[48:2:1:2:3;1m", "␛[0;1;48;2;1;2;3m")]
    [TestCase("␛[48:2::1:2:3;1m", "␛[0;1;48;2;1;2;3m")]
    [TestCase("␛[48:2:7:1:2:3:9;1m", "␛[0;1;48;2;1;2;3m")]
    [TestCase("␛[58;5;20m", "␛[0;58:5:20m")]
    [TestCase("␛[58:2::1:2:3m", "␛[0;58:2::1:2:3m")]
    [TestCase("␛[58;5;20m␛[59m", "")]
    [TestCase("␛[38;5;256m", "")]
    [TestCase("␛[38;2;1;2m", "")]
    [TestCase("␛[38m", "")]
    [TestCase("␛[38;7;1m", "")]
    [TestCase("␛[1:2m", "")]
    [TestCase("␛[10;60;99m", "")]
    public void Style_IsRemembered(string output, string sequence)
    {
        var screen = ScreenText.Show(output);
        Assert.That(screen.ReadableSnapshot(), Is.EqualTo("␛c␛[1;1H" + sequence));
        screen.Copy();
    }

    [TestCase("␛")]
    [TestCase("␛(")]
    [TestCase("␛[")]
    [TestCase("␛[?")]
    [TestCase("␛[?25")]
    [TestCase("␛[1;")]
    [TestCase("␛[38:2::1")]
    [TestCase("␛[2 ")]
    [TestCase("␛]")]
    [TestCase("␛]2;titl")]
    public void Sequence_ThatIsNotComplete_IsTheEnd(string beginning) =>
        Assert.That(ScreenText.Show(beginning).ReadableSnapshot(), Is.EqualTo("␛c␛[1;1H" + beginning));

    [Test]
    public void Character_ThatIsNotComplete_IsTheEnd()
    {
        var screen = ScreenText.Show("");
        screen.Write("日"u8[..2]);
        var copy = new TerminalScreen(screen.Size);
        copy.Write(screen.Snapshot());
        copy.Write("日"u8[2..]);
        Assert.That(copy.Text(), Is.EqualTo("日"));
    }

    [Test]
    public void Character_ThatIsInvalid_IsReplaced()
    {
        var screen = ScreenText.Show("");
        screen.Write([(byte)'a', 0xFF, 0xE6, 0x97, (byte)'b', 0xC3, 0x1B, (byte)'[', (byte)'C', 0xC3]);
        screen.Write([(byte)'c']);
        Assert.That(screen.Text(), Is.EqualTo("a\uFFFD\uFFFDb\uFFFD \uFFFDc"));
    }
}
