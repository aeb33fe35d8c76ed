using FurtherLink.Client.Consoles;

namespace FurtherLink.Tests.Client.Consoles;

internal sealed class TerminalKeyTests
{
    private static (TerminalKey Key, char Final)[] CursorKeys =>
    [
        (Keys.Up, 'A'),
        (Keys.Down, 'B'),
        (Keys.Right, 'C'),
        (Keys.Left, 'D'),
        (Keys.Home, 'H'),
        (Keys.End, 'F'),
    ];

    private static (TerminalKey Key, string Sent)[] OtherKeys =>
    [
        (Keys.PageUp, "\e[5~"),
        (Keys.PageDown, "\e[6~"),
        (Keys.Insert, "\e[2~"),
        (Keys.Delete, "\e[3~"),
        (Keys.Backspace, "\u007F"),
        (Keys.Tab, "\t"),
        (Keys.BackTab, "\e[Z"),
        (Keys.Enter, "\r"),
        (Keys.Escape, "\e"),
        (Keys.F1, "\eOP"),
        (Keys.F4, "\eOS"),
        (Keys.F5, "\e[15~"),
        (Keys.F6, "\e[17~"),
        (Keys.F10, "\e[21~"),
        (Keys.F11, "\e[23~"),
        (Keys.F12, "\e[24~"),
        (Ctrl.C, "\u0003"),
        (Ctrl.D, "\u0004"),
        (Ctrl.Z, "\u001A"),
        (Ctrl.Of('x'), "\u0018"),
        (Ctrl.Of('X'), "\u0018"),
        (Ctrl.Of('@'), "\0"),
        (Ctrl.Of(' '), "\0"),
        (Ctrl.Of('['), "\e"),
        (Ctrl.Of('\\'), "\u001C"),
        (Ctrl.Of('_'), "\u001F"),
        (Ctrl.Of('?'), "\u007F"),
        (Alt.Of('x'), "\ex"),
        ("text", "text"),
        (default, ""),
    ];

    [Test]
    public void Spell_CursorKey_DependsOnTheMode()
    {
        foreach (var (key, final) in CursorKeys)
            Assert.That((key.Spell(applicationCursor: false), key.Spell(applicationCursor: true)), Is.EqualTo(($"\e[{final}", $"\eO{final}")));
    }

    [Test]
    public void Spell_OtherKey_IsTheSameInBothModes()
    {
        foreach (var (key, sent) in OtherKeys)
            Assert.That((key.Spell(applicationCursor: false), key.Spell(applicationCursor: true)), Is.EqualTo((sent, sent)));
    }

    [TestCase('1')]
    [TestCase('é')]
    [TestCase('{')]
    [TestCase('\n')]
    public void Ctrl_OfWhatHasNoControlCharacter_Throws(char key) => Assert.Throws<ArgumentOutOfRangeException>(() => Ctrl.Of(key));
}
