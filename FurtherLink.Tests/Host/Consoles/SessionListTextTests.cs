using System.Text.Json.Nodes;
using FurtherLink.Host.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Tests.Host.Consoles;

[TestFixture]
internal sealed class SessionListTextTests
{
    private static readonly SessionInfo[] Sessions =
    [
        new("abc", "program", 12, "me", "/home/me", new TerminalSize(24, 80), DateTimeOffset.UnixEpoch) { Name = "a\u001b[2J\n\"b\"", Members = 2, End = 77 },
        new("defghi", "python3", 13, "me", "/", null, DateTimeOffset.UnixEpoch) { Exit = new ExitStatus(3) },
        new("jkl", "exec", 14, "me", "/", null, DateTimeOffset.UnixEpoch) { Exit = new ExitStatus(-15) },
    ];

    [Test]
    public void Table_OfSessions_HasALineEachWithoutControlCharacters()
    {
        var lines = SessionListText.Table(Sessions).TrimEnd('\n').Split('\n');
        Assert.That(lines, Has.Length.EqualTo(4));
        Assert.Multiple(() =>
        {
            Assert.That(lines[0], Is.EqualTo("SESSION  NAME       RUNNER   STARTED              STATE      MEMBERS"));
            Assert.That(lines[1], Does.StartWith("abc      a?[2J?\"b\"  program  ").And.EndsWith("running    2"));
            Assert.That(lines[2], Does.StartWith("defghi   -  ").And.EndsWith("exit 3     0"));
            Assert.That(lines[3], Does.EndWith("signal 15  0"));
        });
    }

    [Test]
    public void Json_OfSessions_IsAnArrayOfAllThatIsKnown()
    {
        var sessions = JsonNode.Parse(SessionListText.Json(Sessions))!.AsArray();
        Assert.Multiple(() =>
        {
            Assert.That((string?)sessions[0]!["name"], Is.EqualTo(Sessions[0].Name));
            Assert.That((int?)sessions[0]!["terminal"]!["cols"], Is.EqualTo(80));
            Assert.That((long?)sessions[0]!["end"], Is.EqualTo(77));
            Assert.That((bool?)sessions[0]!["running"], Is.True);
            Assert.That((int?)sessions[2]!["exitCode"], Is.EqualTo(-15));
            Assert.That(SessionListText.Json([]), Is.EqualTo("[]\n"));
        });
    }
}
