using FurtherLink.Messages;
using FurtherLink.Terminals;

namespace FurtherLink.Tests.Terminals;

/// <summary>Every control function, on a screen of 4 rows of 10 columns.</summary>
[TestFixture]
internal sealed class TerminalScreenTests
{
    // Text to print first, the function, what shows, where the cursor is.
    [TestCase("abc", "abc", 0, 3)]
    [TestCase("a␍␊b", "a|b", 1, 1)]
    [TestCase("a␊b", "a| b", 1, 2)]
    [TestCase("a␋b␌c", "a| b|  c", 2, 3)]
    [TestCase("abc␈X", "abX", 0, 3)]
    [TestCase("␈␈X", "X", 0, 1)]
    [TestCase("a␉b", "a       b", 0, 9)]
    [TestCase("a␉bc␉d", "a       bc|d", 1, 1)]
    [TestCase("a␀␇␡b", "ab", 0, 2)]
    [TestCase("0123456789", "0123456789", 0, 9)]
    [TestCase("0123456789a", "0123456789|a", 1, 1)]
    [TestCase("0123456789␍a", "a123456789", 0, 1)]
    [TestCase("0123456789␍␊a", "0123456789|a", 1, 1)]
    [TestCase("0123456789␈a", "01234567a9", 0, 9)]
    [TestCase("0123456789␛[1ma", "0123456789|a", 1, 1)]
    [TestCase("0123456789␛[K", "012345678", 0, 9)]
    [TestCase("1␍␊2␍␊3␍␊4␍␊5", "2|3|4|5", 3, 1)]
    [TestCase("␛[?7l0123456789abc", "012345678c", 0, 9)]
    [TestCase("␛[?7l0123456789abc␛[?7hd", "012345678c|d", 1, 1)]
    public void Print_AndControlCharacters(string output, string text, int row, int column) => Check(output, text, row, column);

    [TestCase("␛[2;3HX", "|  X", 1, 3)]
    [TestCase("␛[2;3fX", "|  X", 1, 3)]
    [TestCase("␛[HX", "X", 0, 1)]
    [TestCase("␛[99;99HX", "|||         X", 3, 9)]
    [TestCase("␛[0;0HX", "X", 0, 1)]
    [TestCase("␛[;5HX", "    X", 0, 5)]
    [TestCase("␛[99999999999999999999;1HX", "|||X", 3, 1)]
    [TestCase("␛[3;3H␛[AX", "|  X", 1, 3)]
    [TestCase("␛[3;3H␛[9AX", "  X", 0, 3)]
    [TestCase("␛[3;3H␛[BX", "|||  X", 3, 3)]
    [TestCase("␛[3;3H␛[CX", "||   X", 2, 4)]
    [TestCase("␛[3;3H␛[99CX", "||         X", 2, 9)]
    [TestCase("␛[3;3H␛[DX", "|| X", 2, 2)]
    [TestCase("␛[3;3H␛[99DX", "||X", 2, 1)]
    [TestCase("␛[2;3H␛[EX", "||X", 2, 1)]
    [TestCase("␛[2;3H␛[FX", "X", 0, 1)]
    [TestCase("␛[2;3H␛[5GX", "|    X", 1, 5)]
    [TestCase("␛[2;3H␛[5`X", "|    X", 1, 5)]
    [TestCase("␛[2;3H␛[4dX", "|||  X", 3, 3)]
    [TestCase("␛[2;3H␛[2aX", "|    X", 1, 5)]
    [TestCase("␛[2;3H␛[2eX", "|||  X", 3, 3)]
    [TestCase("␛[2;3H␛7␛[H␛8X", "|  X", 1, 3)]
    [TestCase("␛[2;3H␛[s␛[H␛[uX", "|  X", 1, 3)]
    [TestCase("␛[2;3H␛[?1048h␛[H␛[?1048lX", "|  X", 1, 3)]
    [TestCase("␛[2;3H␛8X", "X", 0, 1)]
    [TestCase("0123456789␛7␛[H␛8a", "0123456789|a", 1, 1)]
    [TestCase("␛[IX", "        X", 0, 9)]
    [TestCase("␛[10G␛[ZX", "        X", 0, 9)]
    [TestCase("␛[10G␛[2ZX", "X", 0, 1)]
    [TestCase("␛[3G␛H␍␉X", "  X", 0, 3)]
    [TestCase("␛[9G␛[g␍␉X", "         X", 0, 9)]
    [TestCase("␛[3g␉X", "         X", 0, 9)]
    [TestCase("␛DX", "|X", 1, 1)]
    [TestCase("ab␛EX", "ab|X", 1, 1)]
    public void Move_Function_PutsTheCursor(string output, string text, int row, int column) => Check(output, text, row, column);

    // The screen before has 4 rows of letters and the cursor on the second row, in the third column.
    [TestCase("␛[J", "aaaaaaaaaa|bb", 1, 2)]
    [TestCase("␛[1J", "|   bbbbbbb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[2J", "", 1, 2)]
    [TestCase("␛[3J", "aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[?J", "aaaaaaaaaa|bb", 1, 2)]
    [TestCase("␛[K", "aaaaaaaaaa|bb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[1K", "aaaaaaaaaa|   bbbbbbb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[2K", "aaaaaaaaaa||cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[3X", "aaaaaaaaaa|bb   bbbbb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[99X", "aaaaaaaaaa|bb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[2@", "aaaaaaaaaa|bb  bbbbbb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[2@XY␛[10GZ", "aaaaaaaaaa|bbXYbbbbbZ|cccccccccc|dddddddddd", 1, 9)]
    [TestCase("␛[2P", "aaaaaaaaaa|bbbbbbbb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[99P", "aaaaaaaaaa|bb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[L", "aaaaaaaaaa||bbbbbbbbbb|cccccccccc", 1, 0)]
    [TestCase("␛[99L", "aaaaaaaaaa", 1, 0)]
    [TestCase("␛[M", "aaaaaaaaaa|cccccccccc|dddddddddd", 1, 0)]
    [TestCase("␛[99M", "aaaaaaaaaa", 1, 0)]
    [TestCase("␛[S", "bbbbbbbbbb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[3S", "dddddddddd", 1, 2)]
    [TestCase("␛[T", "|aaaaaaaaaa|bbbbbbbbbb|cccccccccc", 1, 2)]
    [TestCase("␛[99T", "", 1, 2)]
    [TestCase("␛[1;2;3;4;5T", "aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[H␛M", "|aaaaaaaaaa|bbbbbbbbbb|cccccccccc", 0, 0)]
    [TestCase("␛[4;4H␛D", "bbbbbbbbbb|cccccccccc|dddddddddd", 3, 3)]
    [TestCase("␛[4hXY", "aaaaaaaaaa|bbXYbbbbbb|cccccccccc|dddddddddd", 1, 4)]
    [TestCase("␛[4hX␛[4lY", "aaaaaaaaaa|bbXYbbbbbb|cccccccccc|dddddddddd", 1, 4)]
    [TestCase("␛[20h␊", "aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd", 2, 0)]
    [TestCase("␛#8", "EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE", 0, 0)]
    [TestCase("␛c", "", 0, 0)]
    [TestCase("X␛[3b", "aaaaaaaaaa|bbXXXXbbbb|cccccccccc|dddddddddd", 1, 6)]
    [TestCase("X␛[1m␛[3b", "aaaaaaaaaa|bbXbbbbbbb|cccccccccc|dddddddddd", 1, 3)]
    [TestCase("␛[2;3r", "aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd", 0, 0)]
    [TestCase("␛[3;2r", "aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd", 1, 2)]
    [TestCase("␛[2;3r␛[3;1H␊", "aaaaaaaaaa|cccccccccc||dddddddddd", 2, 0)]
    [TestCase("␛[2;3r␛[2;1H␛M", "aaaaaaaaaa||bbbbbbbbbb|dddddddddd", 1, 0)]
    [TestCase("␛[2;3r␛[2;1H␛[L", "aaaaaaaaaa||bbbbbbbbbb|dddddddddd", 1, 0)]
    [TestCase("␛[2;3r␛[2;1H␛[M", "aaaaaaaaaa|cccccccccc||dddddddddd", 1, 0)]
    [TestCase("␛[2;3r␛[4;2H␛[M␊", "aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd", 3, 1)]
    [TestCase("␛[1;3r␛[S", "bbbbbbbbbb|cccccccccc||dddddddddd", 0, 0)]
    [TestCase("␛[1;3r␛[2S", "cccccccccc|||dddddddddd", 0, 0)]
    [TestCase("␛[2r␛[2T", "aaaaaaaaaa|||bbbbbbbbbb", 0, 0)]
    [TestCase("␛[2;3r␛[9B␛[3;1H␛[9A", "aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd", 1, 0)]
    [TestCase("␛[2;3r␛[?6hX␛[9;2HY", "aaaaaaaaaa|Xbbbbbbbbb|cYcccccccc|dddddddddd", 2, 2)]
    [TestCase("␛[2;3r␛[?6h␛[?6lX", "Xaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd", 0, 1)]
    [TestCase("␛[?1049hX", "|  X", 1, 3)]
    [TestCase("␛[?1049h␛[HX␛[?1049lY", "aaaaaaaaaa|bbYbbbbbbb|cccccccccc|dddddddddd", 1, 3)]
    [TestCase("␛[?47h␛[HX␛[?47lY", "aYaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd", 0, 2)]
    [TestCase("␛[?1047hX␛[?1047l", "aaaaaaaaaa|bbbbbbbbbb|cccccccccc|dddddddddd", 1, 3)]
    public void Edit_Function_ChangesTheRows(string output, string text, int row, int column) =>
        Check("aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd␛[2;3H" + output, text, row, column);

    [TestCase("␛(0qx␛(Bq", "─│q", 0, 3)]
    [TestCase("␛)0q␎q␏q", "q─q", 0, 3)]
    [TestCase("␛(A#␛(B#", "£#", 0, 2)]
    [TestCase("␛(0␛7␛(B␛8q", "─", 0, 1)]
    [TestCase("é", "é", 0, 1)]
    [TestCase("日本", "日本", 0, 4)]
    [TestCase("日本␛[1GX", "X 本", 0, 1)]
    [TestCase("日本␛[2GX", " X本", 0, 2)]
    [TestCase("日本␛[2G␛[P", " 本", 0, 1)]
    [TestCase("日本␛[2G␛[@X", " X 本", 0, 2)]
    [TestCase("日本␛[2G␛[K", "", 0, 1)]
    [TestCase("012345678日", "012345678|日", 1, 2)]
    [TestCase("01234567日a", "01234567日|a", 1, 1)]
    [TestCase("␛[?7l012345678日", "012345678", 0, 9)]
    [TestCase("01234567日␛[H␛[@", " 01234567", 0, 0)]
    [TestCase("e\u0301x", "e\u0301x", 0, 2)]
    [TestCase("日\u0301x", "日\u0301x", 0, 3)]
    [TestCase("\u0301x", "x", 0, 1)]
    [TestCase("012345678e\u0301", "012345678e\u0301", 0, 9)]
    [TestCase("e\u0301\u0302\u0303\u0304\u0305\u0306", "e\u0301\u0302\u0303\u0304", 0, 1)]
    [TestCase("e\u0301␛[1Ge", "e", 0, 1)]
    [TestCase("e\u0301␛[1G␛[@", " e\u0301", 0, 0)]
    [TestCase("👍\u200dx", "👍\u200dx", 0, 3)]
    public void Characters_BeyondAscii(string output, string text, int row, int column) => Check(output, text, row, column);

    [TestCase("␛]0;name␇X", "X")]
    [TestCase("␛]2;name␛\\X", "X")]
    [TestCase("␛]2;name␘X", "X")]
    [TestCase("␛Pq#0␇␛\\X", "X")]
    [TestCase("␛_a␛\\␛^b␛\\␛Xc␛\\X", "X")]
    [TestCase("␛[1;2␘X", "X")]
    [TestCase("␛[1;2␚X", "X")]
    [TestCase("␛[1␛[CX", " X")]
    [TestCase("␛[>4;2mX", "X")]
    [TestCase("␛[?25$pX", "X")]
    [TestCase("␛[1?2hX", "X")]
    [TestCase("␛[1!!pX", "X")]
    [TestCase("␛%GX", "X")]
    [TestCase("␛%/GX", "X")]
    [TestCase("␛[:::;;;mX", "X")]
    public void Sequences_ThatMeanNothing_ShowNothing(string output, string text) => Check(output, text, 0, text.Length);

    [Test]
    public void Control_OfEightBits_IsIgnored() => Check("\u0085\u009b1mx", "1mx", 0, 3);

    [Test]
    public void Sequence_WithMoreNumbersThanAnyHas_IsUnderstood()
    {
        var numbers = string.Join(';', Enumerable.Repeat("1", 1000));
        Check($"␛[{numbers}HX", "X", 0, 1);
    }

    [TestCase("␛]0;name␇", "name")]
    [TestCase("␛]2;näme␛\\", "näme")]
    [TestCase("␛]1;icon␇", "")]
    [TestCase("␛]2;a␇X␛]2;␇", "")]
    [TestCase("␛]2;cut off␘", "")]
    [TestCase("␛]2;a;b␇", "a;b")]
    public void Title_IsRemembered(string output, string title) => Assert.That(ScreenText.Show(output).Copy().Title, Is.EqualTo(title));

    [Test]
    public void Title_BeyondEveryMeasure_IsCutOrSkipped()
    {
        var screen = ScreenText.Show($"␛]2;{new string('a', 4000)}␇");
        Assert.That(screen.Title, Has.Length.EqualTo(256));
        screen.Write($"␛]2;{new string('b', 5000)}␇X");
        Assert.That(screen.Title, Does.StartWith("a"));
        Assert.That(screen.Text(), Is.EqualTo("X"));
    }

    [TestCase(0, 0, 24, 80)]
    [TestCase(0, 5, 24, 5)]
    [TestCase(5000, 65535, 1000, 1000)]
    [TestCase(1, 1, 1, 1)]
    public void Size_OutOfBounds_IsMadeToFit(int rows, int columns, int actualRows, int actualColumns)
    {
        var screen = new TerminalScreen(new TerminalSize(rows, columns));
        Assert.That(screen.Size, Is.EqualTo(new TerminalSize(actualRows, actualColumns)));
        screen.Resize(new TerminalSize(3, 3));
        screen.Resize(new TerminalSize(rows, columns));
        Assert.That(screen.Size, Is.EqualTo(new TerminalSize(actualRows, actualColumns)));
    }

    [TestCase("1␍␊2␍␊3␍␊4", 2, 10, "3|4", 1, 1)]
    [TestCase("1␍␊2␍␊3␍␊4␛[2;1H", 2, 10, "1|2", 1, 0)]
    [TestCase("1␍␊2␍␊3␍␊4␛[3;1H", 2, 10, "2|3", 1, 0)]
    [TestCase("1␍␊2␍␊3␍␊4", 6, 10, "1|2|3|4", 3, 1)]
    [TestCase("0123456789", 4, 5, "01234", 0, 4)]
    [TestCase("0123456789", 4, 20, "0123456789", 0, 9)]
    [TestCase("0123日", 4, 5, "0123", 0, 4)]
    [TestCase("1␍␊2␛[?1049h␛[4;1HX", 2, 10, "|X", 1, 1)]
    [TestCase("1␍␊2␍␊3␍␊4␛[?1049hX␛[1;1H␛[?1049l", 2, 10, "3|4", 1, 1)]
    public void Resize_KeepsTheRowsAroundTheCursor(string output, int rows, int columns, string text, int row, int column)
    {
        var screen = ScreenText.Show(output);
        screen.Resize(new TerminalSize(rows, columns));
        Assert.That(screen.Text(), Is.EqualTo(text));
        Assert.That(screen.Cursor, Is.EqualTo((row, column)));
        screen.Copy();
    }

    [Test]
    public void Resize_OfTheAlternateScreen_ResizesTheMainOneToo()
    {
        var screen = ScreenText.Show("1␍␊2␍␊3␍␊4␛[?1049hX");
        screen.Resize(new TerminalSize(2, 3));
        screen.Copy();
        screen.Write("␛[?1049l");
        Assert.That(screen.Text(), Is.EqualTo("3|4"));
        Assert.That(screen.Cursor, Is.EqualTo((1, 1)));
    }

    [Test]
    public void Resize_EndsTheScrollRegion()
    {
        var screen = ScreenText.Show("1␍␊2␍␊3␍␊4␛[2;3r");
        screen.Resize(new TerminalSize(4, 9));
        screen.Write("␛[4;1H␊");
        Assert.That(screen.Text(), Is.EqualTo("2|3|4"));
    }

    [Test]
    public void Row_OutsideOfTheScreen_IsRefused()
    {
        var screen = ScreenText.Show("");
        Assert.Throws<ArgumentOutOfRangeException>(() => screen.Row(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => screen.Row(4));
    }

    private static void Check(string output, string text, int row, int column)
    {
        var screen = ScreenText.Show(output);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(screen.Text(), Is.EqualTo(text));
            Assert.That(screen.Cursor, Is.EqualTo((row, column)));
        }

        screen.Copy();
    }
}
