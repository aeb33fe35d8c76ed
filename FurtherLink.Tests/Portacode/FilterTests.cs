using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Clients;

namespace FurtherLink.Tests.Portacode;

/// <summary>Filters of client sessions.</summary>
[TestFixture]
internal sealed class FilterTests
{
    [TestCase("""{"event":"terminal_data"}""", true)]
    [TestCase("""{"event":"terminal_*"}""", true)]
    [TestCase("""{"event":"*_data"}""", true)]
    [TestCase("""{"event":"*"}""", true)]
    [TestCase("""{"event":"t*l_*a"}""", true)]
    [TestCase("""{"event":"**data**"}""", true)]
    [TestCase("""{"event":"terminal_data*"}""", true)]
    [TestCase("""{"event":"erminal_data"}""", false)]
    [TestCase("""{"event":"terminal_dat"}""", false)]
    [TestCase("""{"event":"terminal_dat?"}""", false)]
    [TestCase("""{"event":"terminal.data"}""", false)]
    [TestCase("""{"event":"Terminal_data"}""", false)]
    [TestCase("""{"event":"a*terminal_data"}""", false)]
    [TestCase("""{}""", true)]
    [TestCase("""{"missing":"*"}""", false)]
    [TestCase("""{"project_id":"*"}""", false)]
    [TestCase("""{"project_id":null}""", true)]
    [TestCase("""{"event":"terminal_*","terminal_id":"abc"}""", true)]
    [TestCase("""{"event":"terminal_*","terminal_id":"abd"}""", false)]
    [TestCase("""{"offset":17}""", true)]
    [TestCase("""{"offset":17.0}""", true)]
    [TestCase("""{"offset":18}""", false)]
    [TestCase("""{"offset":"17"}""", true)]
    [TestCase("""{"offset":"1*"}""", true)]
    [TestCase("""{"flag":true}""", true)]
    [TestCase("""{"flag":"true"}""", true)]
    [TestCase("""{"flag":false}""", false)]
    [TestCase("""{"nested":"*"}""", false)]
    [TestCase("""{"nested":{"a":1}}""", true)]
    public void Filter_OfAnEvent_MatchesOrNot(string filter, bool expected)
    {
        var fields = JsonNode.Parse("""{"event":"terminal_data","terminal_id":"abc","project_id":null,"offset":17,"flag":true,"nested":{"a":1}}""")!.AsObject();
        Assert.That(Read($"[{filter}]").Single().Matches(fields), Is.EqualTo(expected));
    }

    [Test]
    public void Pattern_OfManyStars_IsAsFastAsItsText()
    {
        var text = new string('a', 100_000);
        Assert.That(Filter.Matches(string.Concat(Enumerable.Repeat("*a", 2000)) + "*b", text), Is.False);
        Assert.That(Filter.Matches(string.Concat(Enumerable.Repeat("*a", 2000)), text), Is.True);
    }

    [Test]
    public void Pattern_AtRandom_IsWhatARegularExpressionSays()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FURTHERLINK_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var pattern = new string(random.GetItems("ab**".AsSpan(), random.Next(8)));
            var text = new string(random.GetItems("ab".AsSpan(), random.Next(10)));
            var expected = System.Text.RegularExpressions.Regex.IsMatch(text, "^" + pattern.Replace("*", ".*", StringComparison.Ordinal) + "\\z", System.Text.RegularExpressions.RegexOptions.NonBacktracking);
            Assert.That(Filter.Matches(pattern, text), Is.EqualTo(expected), $"{pattern} of {text}");
        }
    }

    [TestCase("null", "filters parameter must be a list")]
    [TestCase("{}", "filters parameter must be a list")]
    [TestCase("[17]", "filter 0 must be an object")]
    [TestCase("""[{},"x"]""", "filter 1 must be an object")]
    [TestCase("""[{"a":"\ud800"}]""", "valid Unicode")]
    [TestCase("""[{"a":"1","a":"2"}]""", "twice")]
    public void Filters_ThatAreNone_AreRefused(string filters, string message)
    {
        Assert.That(() => Read(filters), Throws.InstanceOf<LinkException>().With.Message.Contains(message));
    }

    [Test]
    public void List_OfSessions_DecidesByProject()
    {
        var sessions = new ClientSessions();
        Assert.That(sessions.Interested(Event(null)).IsSent, Is.True, "nobody is announced: all get it");
        sessions.SetList([new ListedSession("dash", null), new ListedSession("p1", "p1"), new ListedSession("p2", "p2")]);
        Assert.That(sessions.Interested(Event(null)).Clients, Is.EqualTo(new[] { "dash", "p1", "p2" }));
        Assert.That(sessions.Interested(Event("p1")).Clients, Is.EqualTo(new[] { "p1" }));
        Assert.That(sessions.Interested(Event("p3")).IsSent, Is.False);
        sessions.Subscribe("p1", Read("""[{"event":"*"},{}]"""));
        Assert.That(sessions.Interested(Event("p1")).Clients, Is.EqualTo(new[] { "p1" }), "once, however often it matches");
        Assert.That(sessions.Count, Is.EqualTo(3));
        Assert.That(sessions.SetList([new ListedSession("p2", "p2"), new ListedSession("new", null)]).Select(session => session.Name), Is.EqualTo(new[] { "new" }));
    }

    private static JsonObject Event(string? project) => new() { ["event"] = "x", ["project_id"] = project };

    private static IReadOnlyList<Filter> Read(string json) => Filter.ReadAll(JsonDocument.Parse(json).RootElement);
}
