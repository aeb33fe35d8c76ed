using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Tests.Portacode.Files;

[TestFixture]
internal sealed class GlobPatternTests
{
    // One name, at any depth.
    [TestCase("*.py", "a.py", true)]
    [TestCase("*.py", "d/e/a.py", true)]
    [TestCase("*.py", "a.pyc", false)]
    [TestCase("*.py", ".py", true)]
    [TestCase("*.PY", "a.py", false)]
    [TestCase("a", "a", true)]
    [TestCase("a", "d/a", true)]
    [TestCase("a", "ab", false)]
    [TestCase("*", "anything", true)]
    [TestCase("?", "ä", true)]
    [TestCase("?", "ab", false)]
    [TestCase("?", "", false)]
    [TestCase("a*b*c", "aXbYc", true)]
    [TestCase("a*b*c", "abbc", true)]
    [TestCase("a*b*c", "aXcYb", false)]
    [TestCase("**.py", "a.py", true)]
    [TestCase("a**b", "aXb", true)]
    // A folder, and what is in it.
    [TestCase("build", "build/out/a.o", true)]
    [TestCase("build/", "d/build/a.o", true)]
    [TestCase("build", "builds/a.o", false)]
    // Anchored.
    [TestCase("src/*.ts", "src/a.ts", true)]
    [TestCase("src/*.ts", "src/d/a.ts", false)]
    [TestCase("src/*.ts", "d/src/a.ts", false)]
    [TestCase("/a", "a", true)]
    [TestCase("/a", "d/a", false)]
    [TestCase("./a", "a", true)]
    [TestCase("src/*", "src/d/e", true)]
    // Any number of folders.
    [TestCase("**", "a/b", true)]
    [TestCase("**/a", "a", true)]
    [TestCase("**/a", "d/e/a", true)]
    [TestCase("src/**/*.ts", "src/a.ts", true)]
    [TestCase("src/**/*.ts", "src/d/e/a.ts", true)]
    [TestCase("src/**/*.ts", "src/d/e/a.js", false)]
    [TestCase("src/**", "src/a", true)]
    [TestCase("src/**", "src/d/a", true)]
    [TestCase("src/**", "src", false)]
    [TestCase("**/node_modules/**", "node_modules", false)]
    [TestCase("**/node_modules/**", "a/node_modules/b/c", true)]
    [TestCase("a/**/b/**/c", "a/b/c", true)]
    [TestCase("a/**/b/**/c", "a/x/b/y/z/c", true)]
    [TestCase("a/**/b/**/c", "a/x/c/b", false)]
    // One character of some.
    [TestCase("[abc]", "b", true)]
    [TestCase("[abc]", "d", false)]
    [TestCase("[a-c]x", "bx", true)]
    [TestCase("[a-c]x", "dx", false)]
    [TestCase("[!a-c]", "d", true)]
    [TestCase("[!a-c]", "b", false)]
    [TestCase("[^a-c]", "d", true)]
    [TestCase("[]]", "]", true)]
    [TestCase("[!]]", "]", false)]
    [TestCase("[a-]", "-", true)]
    [TestCase("[-a]", "-", true)]
    [TestCase("[*]", "*", true)]
    [TestCase("[*]", "a", false)]
    [TestCase("[a", "[a", true)]
    [TestCase("[", "[", true)]
    [TestCase("[]", "[]", true)]
    [TestCase("*[0-9].log", "a1b2.log", true)]
    // Either.
    [TestCase("*.{js,ts}", "a.ts", true)]
    [TestCase("*.{js,ts}", "a.css", false)]
    [TestCase("{a,b}{1,2}", "b1", true)]
    [TestCase("{a,{b,c}d}", "cd", true)]
    [TestCase("{a,{b,c}d}", "c", false)]
    [TestCase("{,x}a", "a", true)]
    [TestCase("{src,lib}/**/*.c", "lib/d/a.c", true)]
    [TestCase("{a", "{a", true)]
    [TestCase("a}", "a}", true)]
    [TestCase("{a,b", "{a,b", true)]
    [TestCase("{{a,b}", "{b", true)]
    // Literally.
    [TestCase("a.c", "abc", false)]
    [TestCase("a+b(c)$", "a+b(c)$", true)]
    [TestCase("a\\b", "a\\b", true)]
    public void Match_OfPatternAndPath_IsWhatShellsDo(string pattern, string path, bool matches) =>
        Assert.That(GlobPattern.Parse(pattern).IsMatch(path), Is.EqualTo(matches));

    [TestCase("")]
    [TestCase("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}")]
    public void Parse_OfWhatIsNoPatternOrTooMany_IsRefused(string pattern) =>
        Assert.That(() => GlobPattern.Parse(pattern), Throws.InstanceOf<LinkException>().With.Message.StartsWith("Invalid pattern"));

    [Test]
    public void Parse_TooLong_IsRefused() => Assert.That(() => GlobPattern.Parse(new string('a', 1001)), Throws.InstanceOf<LinkException>());

    [Test]
    public void Match_OfPatternsThatCouldTakeForEver_EndsInTime()
    {
        // Where each star tried all lengths, any of these would take longer than the universe is old.
        var name = new string('a', 200);
        Assert.That(GlobPattern.Parse(string.Concat(Enumerable.Repeat("*a", 100)) + "b").IsMatch(name), Is.False);
        var deep = string.Join('/', Enumerable.Repeat("a", 400));
        Assert.That(GlobPattern.Parse(string.Concat(Enumerable.Repeat("**/a/", 100)) + "b").IsMatch(deep), Is.False);
    }

    [Test]
    public void Match_OfRandomPatterns_AgreesWithTheDefinition()
    {
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"Seed {seed}");
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var pattern = string.Join('/', Enumerable.Range(0, random.Next(2, 5)).Select(_ => random.Next(4) == 0 ? "**" : Letters("ab*?", 3)));
            var path = string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => Letters("ab", 3)));
            Assert.That(GlobPattern.Parse(pattern).IsMatch(path), Is.EqualTo(Defined(pattern.Split('/'), path.Split('/'))), $"{pattern} {path}");
        }

        string Letters(string from, int most) => string.Concat(Enumerable.Range(0, random.Next(1, most + 1)).Select(_ => from[random.Next(from.Length)]));
    }

    [Test]
    public void Parse_OfRandomText_NeverFailsOtherwiseThanInWords()
    {
        var seed = Environment.TickCount;
        TestContext.Out.WriteLine($"Seed {seed}");
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => "ab*?[]!-{},/.\\"[random.Next(14)]));
            try
            {
                GlobPattern.Parse(text).IsMatch("ab/a.b");
            }
            catch (LinkException)
            {
                Assert.That(text, Is.Empty.Or.Contain("{"));
            }
        }
    }

    // Slow and plain: every way a pattern's names can be laid on the first of a path's, a rest of which is what is in the folder matched.
    private static bool Defined(ReadOnlySpan<string> pattern, ReadOnlySpan<string> path)
    {
        if (pattern.IsEmpty)
            return true;
        if (pattern[0] == "**")
        {
            if (pattern.Length == 1)
                return !path.IsEmpty;
            for (var skip = 0; skip <= path.Length; skip++)
            {
                if (Defined(pattern[1..], path[skip..]))
                    return true;
            }
            return false;
        }
        return !path.IsEmpty && DefinedName(pattern[0], path[0]) && Defined(pattern[1..], path[1..]);
    }

    private static bool DefinedName(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        if (pattern.IsEmpty)
            return name.IsEmpty;
        if (pattern[0] == '*')
            return DefinedName(pattern[1..], name) || (!name.IsEmpty && DefinedName(pattern, name[1..]));
        return !name.IsEmpty && (pattern[0] == '?' || pattern[0] == name[0]) && DefinedName(pattern[1..], name[1..]);
    }
}
