using System.Text;
using FurtherLink.Host.Consoles;

namespace FurtherLink.Tests.Host.Consoles;

[TestFixture]
internal sealed class EscapeKeysTests
{
    [TestCase("~.", "hello~.", "hello~.", false)]
    [TestCase("~.", "~.", "", true)]
    [TestCase("~.", "ls\r~.rest", "ls\r", true)]
    [TestCase("~.", "ls\n~.", "ls\n", true)]
    [TestCase("~.", "~x", "~x", false)]
    [TestCase("~.", "~~.", "~.", false)]
    [TestCase("~.", "~\r~.", "~\r", true)]
    [TestCase("~.", "~~\r~.", "~\r", true)]
    [TestCase("^]", "ab\u001dcd", "ab", true)]
    [TestCase("^]", "~.", "~.", false)]
    [TestCase("+q", "+q", "", true)]
    [TestCase("none", "~.\u001d", "~.\u001d", false)]
    public void Filter_CutAtEachByte_LeavesAtTheKeysAlone(string keys, string typed, string passed, bool leaves)
    {
        for (var cut = 0; cut <= typed.Length; cut++)
        {
            var escape = EscapeKeys.TryParse(keys)!;
            var output = new StringBuilder();
            var isLeaving = Feed(escape, typed[..cut], output) || Feed(escape, typed[cut..], output);
            Assert.That((output.ToString(), isLeaving), Is.EqualTo((passed, leaves)), $"cut at {cut}");
        }
    }

    [TestCase("~.", "~.")]
    [TestCase("^]", "Ctrl-]")]
    [TestCase("^a", "Ctrl-A")]
    [TestCase("none", "")]
    public void Text_OfKeys_IsHowPeopleCallThem(string keys, string text) => Assert.That(EscapeKeys.TryParse(keys)!.Text, Is.EqualTo(text));

    [TestCase("")]
    [TestCase("~")]
    [TestCase("~~")]
    [TestCase("~..")]
    [TestCase("é.")]
    [TestCase("a b")]
    public void TryParse_AnythingElse_GivesNull(string keys) => Assert.That(EscapeKeys.TryParse(keys), Is.Null);

    private static bool Feed(EscapeKeys escape, string typed, StringBuilder output)
    {
        var bytes = Encoding.Latin1.GetBytes(typed);
        var room = new byte[bytes.Length + 1];
        var isLeaving = escape.Filter(bytes, room, out var count);
        output.Append(Encoding.Latin1.GetString(room, 0, count));
        return isLeaving;
    }
}
