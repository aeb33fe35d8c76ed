using System.Text.Json.Nodes;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Tests.Portacode.Files;

[TestFixture]
internal sealed class FilePagesTests : FilesFixture
{
    // Arguments; then content, returned, total, first, last, more before, more after.
    [TestCase("""{"start_line":1}""", "1\n2\r\n3\n4", 4, 1, 4, false, false)]
    [TestCase("""{"start_line":2}""", "2\r\n3\n4", 3, 2, 4, true, false)]
    [TestCase("""{"end_line":2}""", "1\n2\r\n", 2, 1, 2, false, true)]
    [TestCase("""{"start_line":2,"end_line":3}""", "2\r\n3\n", 2, 2, 3, true, true)]
    [TestCase("""{"start_line":2,"end_line":9}""", "2\r\n3\n4", 3, 2, 4, true, false)]
    [TestCase("""{"start_line":2,"end_line":4,"max_lines":1}""", "2\r\n", 1, 2, 2, true, true)]
    [TestCase("""{"max_lines":3}""", "1\n2\r\n3\n", 3, 1, 3, false, true)]
    [TestCase("""{"max_lines":1000000}""", "1\n2\r\n3\n4", 4, 1, 4, false, false)]
    [TestCase("""{"start_line":4}""", "4", 1, 4, 4, true, false)]
    [TestCase("""{"start_line":5}""", "", 0, 5, 4, true, false)]
    [TestCase("""{"start_line":99}""", "", 0, 5, 4, true, false)]
    [TestCase("""{"start_line":3,"end_line":2}""", "", 0, 3, 2, true, true)]
    [TestCase("""{"start_line":3,"end_line":-5}""", "", 0, 3, 2, true, true)]
    [TestCase("""{"start_line":0}""", "1\n2\r\n3\n4", 4, 1, 4, false, false)]
    [TestCase("""{"start_line":-7,"max_lines":1}""", "1\n", 1, 1, 1, false, true)]
    public async Task Page_OfFourLines_IsTheLinesAskedFor(string arguments, string content, int returned, int first, int last, bool before, bool after)
    {
        var path = Write("f", "1\n2\r\n3\n4");
        var request = JsonNode.Parse(arguments)!.AsObject();
        request["path"] = path;
        var requested = (int?)request["start_line"] ?? 1;
        var answer = await AskAsync("file_read", request);
        var expected = new JsonObject
        {
            ["path"] = path,
            ["content"] = content,
            ["size"] = 8,
            ["total_lines"] = 4,
            ["returned_lines"] = returned,
            ["start_line"] = first,
            ["requested_start_line"] = requested,
            ["end_line"] = last,
            ["has_more_before"] = before,
            ["has_more_after"] = after,
            ["encoding"] = "utf-8",
        };
        Assert.That(answer.ToJsonString(), Is.EqualTo(expected.ToJsonString()));
    }

    [TestCase("", 0)]
    [TestCase("a", 1)]
    [TestCase("a\n", 1)]
    [TestCase("\n", 1)]
    [TestCase("\n\n", 2)]
    [TestCase("a\rb", 1)]
    public async Task Page_OfAnyText_CountsItsLines(string content, int total)
    {
        var answer = await AskAsync("file_read", new JsonObject { ["path"] = Write("f", content), ["start_line"] = 1 });
        Assert.That(((long?)answer["total_lines"], (long?)answer["returned_lines"], (string?)answer["content"]), Is.EqualTo((total, total, content)));
    }

    [Test]
    public async Task Pages_OneAfterAnother_AreTheFile()
    {
        // More than one buffer, with a character on each of its ends.
        var content = string.Concat(Enumerable.Range(0, 30_000).Select(i => $"{i}€😀\n"));
        var path = Write("f", content);
        var read = "";
        for (var start = 1L; ;)
        {
            var page = await AskAsync("file_read", new JsonObject { ["path"] = path, ["start_line"] = start });
            read += (string?)page["content"];
            Assert.That((long?)page["returned_lines"], Is.EqualTo(2000));
            if (!(bool)page["has_more_after"]!)
                break;
            start = (long)page["end_line"]! + 1;
        }
        Assert.That(read, Is.EqualTo(content));
    }

    [Test]
    public void Page_TextInPieces_DoesNotDependOnWhereItIsCut()
    {
        const string Text = "a\n\nbc\r\nd";
        for (var first = 0; first <= Text.Length; first++)
        {
            for (var second = first; second <= Text.Length; second++)
            {
                var page = new LinePage(new LineRange(2, 3, 2000), 100);
                Assert.That(page.Add(Text.AsSpan(0, first)) && page.Add(Text.AsSpan(first, second - first)) && page.Add(Text.AsSpan(second)), Is.True);
                var answer = page.Answer("p", Text.Length, "utf-8");
                Assert.That(((string?)answer["content"], (long?)answer["total_lines"]), Is.EqualTo(("\nbc\r\n", 4)), $"cut at {first} and {second}");
            }
        }
    }
}
