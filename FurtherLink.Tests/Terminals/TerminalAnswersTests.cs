using System.Text;
using FurtherLink.Messages;
using FurtherLink.Terminals;

namespace FurtherLink.Tests.Terminals;

internal sealed class TerminalAnswersTests
{
    [TestCase("\e[c", "\e[?62;22c")]
    [TestCase("\e[0c", "\e[?62;22c")]
    [TestCase("\e[>c", "\e[>1;10;0c")]
    [TestCase("\e[5n", "\e[0n")]
    [TestCase("\e[4;7H\e[6n", "\e[4;7R")]
    [TestCase("\e[4;7H\e[?6n", "\e[?4;7R")]
    [TestCase("\e[2;5r\e[?6h\e[2;2H\e[6n", "\e[2;2R")]
    [TestCase("\e[18t", "\e[8;6;40t")]
    [TestCase("\e[?12$p\e[?12h\e[?12$p", "\e[?12;2$y\e[?12;1$y")]
    [TestCase("\e[?2026$p", "\e[?2026;0$y")]
    [TestCase("\e]10;?\a\e]11;?\e\\", "\e]10;rgb:ffff/ffff/ffff\e\\\e]11;rgb:0000/0000/0000\e\\")]
    [TestCase("\e[1c\e[=c\e[7n\e[6m\e[8;9;9t\e[?1h\e]11;#000\a\e]4;1;?\a\ePq?\e\\\e[>q\e[?u", "")]
    public void Answer_AQuestionCutAnywhere_IsXterms(string asked, string answered)
    {
        var bytes = Encoding.ASCII.GetBytes(asked);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var answers = new TerminalAnswers();
            var screen = new TerminalScreen(new TerminalSize(6, 40), answers);
            screen.Write(bytes.AsSpan(0, cut));
            screen.Write(bytes.AsSpan(cut));
            Assert.That((Encoding.ASCII.GetString(answers.Take()), answers.IsEmpty), Is.EqualTo((answered, true)), $"cut at {cut}");
        }
    }

    [Test]
    public void Answer_AskedWithoutEnd_IsBounded()
    {
        var answers = new TerminalAnswers();
        var screen = new TerminalScreen(new TerminalSize(6, 40), answers);
        for (var i = 0; i < 10_000; i++)
            screen.Write("\e[6n"u8);
        Assert.That(answers.Take(), Has.Length.InRange(4000, 4096));
    }
}
