namespace FurtherLink.Tests.Readme;

/// <summary>The examples' runner can fail.</summary>
[TestFixture]
internal sealed class ExampleTests
{
    [Test]
    public void Blocks_OfText_AreFoundWithKindAndLine()
    {
        var examples = Example.Parse("x.md", ["# x", "```console", "$ a", "b", "```", "", "```exchange /run?pty=1", "```"]).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(examples.Select(example => (example.Line, example.Kind, example.Argument)), Is.EqualTo(new[] { (2, "console", ""), (7, "exchange", "/run?pty=1") }));
            Assert.That(examples[0].Lines, Is.EqualTo(new[] { "$ a", "b" }));
            Assert.That(() => Example.Parse("x.md", ["```console"]).ToList(), Throws.TypeOf<FormatException>());
        });
    }

    [Test]
    public void Programs_OfText_HaveWhatFollowsUnderTheirHeading()
    {
        string[] lines =
        [
            "# a", "```console", "$ x", "```", "```csharp Program.cs", "A", "```", "```csharp B.cs", "B", "```", "```console", "$ dotnet run", "```",
            "## b", "```exchange /run", "```", "```csharp Program.cs", "C", "```", "```json", "```", "```exchange /c", "```",
        ];
        var (programs, others) = ProgramExample.Split(Example.Parse("x.md", lines));
        Assert.Multiple(() =>
        {
            Assert.That(programs.Select(program => string.Join(' ', program.Files.Concat(program.Shown).Select(file => file.Line))), Is.EqualTo(new[] { "5 8 11", "17 22" }));
            Assert.That(others.Select(example => example.Line), Is.EqualTo(new[] { 2, 15, 20 }));
        });
    }

    [TestCase("""{"a":1}""", """{ "a": 1 }""", true)]
    [TestCase("""{"a":1,"b":null}""", """{"b": null, "a": 1}""", true)]
    [TestCase("""{"a":1}""", """{"a":1,"b":2}""", false)]
    [TestCase("""{"a":1,"b":null}""", """{"a":1}""", false)]
    [TestCase("""{"a":"..."}""", """{"a":[1,2]}""", true)]
    [TestCase("""{"a":"x...z"}""", """{"a":"x\ny\nz"}""", true)]
    [TestCase("""{"a":"x...z"}""", """{"a":"x"}""", false)]
    [TestCase("""{"a":"1"}""", """{"a":1}""", false)]
    [TestCase("""[1,2]""", """[1]""", false)]
    [TestCase("hello", "hello", true)]
    [TestCase("hello", "hello!", false)]
    public void Message_Compared_MatchesByContent(string expected, string actual, bool matches) =>
        Assert.That(MessagePattern.Matches(expected, actual), Is.EqualTo(matches));

    [Test]
    public void Output_InPieces_IsJoinedWithinOneStreamOnly()
    {
        const string First = """{"type":"stdout","data":{"output":"He"},"process":"1"}""";
        Assert.Multiple(() =>
        {
            Assert.That(MessagePattern.Join(First, """{"type":"stdout","data":{"output":"llo"},"process":"1"}"""), Is.EqualTo("""{"type":"stdout","data":{"output":"Hello"},"process":"1"}"""));
            Assert.That(
                MessagePattern.Join("""{"type":"stdout","data":{"output":"He","from":5,"to":7}}""", """{"type":"stdout","data":{"output":"llo","from":7,"to":10}}"""),
                Is.EqualTo("""{"type":"stdout","data":{"output":"Hello","from":5,"to":10}}"""));
            Assert.That(MessagePattern.Join("""{"type":"stdout","data":{"output":"He","from":5,"to":7}}""", """{"type":"stdout","data":{"output":"llo","from":8,"to":11}}"""), Is.Null);
            Assert.That(MessagePattern.Join(First, """{"type":"stderr","data":{"output":"llo"},"process":"1"}"""), Is.Null);
            Assert.That(MessagePattern.Join(First, """{"type":"stdout","data":{"output":"llo"},"process":"2"}"""), Is.Null);
            Assert.That(MessagePattern.Join(First, """{"type":"stopped","data":{"exitCode":0},"process":"1"}"""), Is.Null);
        });
    }

    [Test]
    public void Lines_WithWildcards_MatchAnything()
    {
        string[] lines = ["one", "two 2", "three"];
        Assert.Multiple(() =>
        {
            Assert.That(Wildcard.Matches(["one", "two ...", "three"], lines));
            Assert.That(Wildcard.Matches(["one", "..."], lines));
            Assert.That(Wildcard.Matches(["...", "three"], lines));
            Assert.That(Wildcard.Matches(["one", "three"], lines), Is.False);
            Assert.That(Wildcard.Matches(["one", "two ..."], lines), Is.False);
            Assert.That(Wildcard.Matches([], lines), Is.False);
        });
    }

    [Test]
    public void Exchange_WithAnotherAnswer_Fails()
    {
        Assert.Multiple(() =>
        {
            Assert.That(async () => await Exchange.PlayAsync(new Parrot(), ["> a", "< a", "# words", "> b", "< b"]), Throws.Nothing);
            Assert.That(async () => await Exchange.PlayAsync(new Parrot(), ["> a", "< b"]), Throws.TypeOf<AssertionException>());
            Assert.That(async () => await Exchange.PlayAsync(new Parrot(), ["> a", "< a", "< a"]), Throws.TypeOf<AssertionException>());
            Assert.That(async () => await Exchange.PlayAsync(new Parrot(), ["a"]), Throws.TypeOf<AssertionException>());
        });
    }

    private sealed class Parrot : IExchangePeer
    {
        private readonly Queue<string> _said = [];

        public Task SendAsync(string message)
        {
            _said.Enqueue(message);
            return Task.CompletedTask;
        }

        public Task<string?> ReceiveAsync() => Task.FromResult(_said.TryDequeue(out var message) ? message : null);

        public ValueTask DisposeAsync() => default;
    }
}
