using System.Text;
using System.Text.RegularExpressions;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Client.Consoles;

/// <summary>What matches when, without any program.</summary>
internal sealed class ConsoleStateTests
{
    private static readonly TerminalSize Size = new(6, 40);

    private readonly ManualTimeProvider _time = new();

    [Test]
    public async Task Expect_TextCutAnywhere_TakesItThroughItsEnd()
    {
        var output = Encoding.UTF8.GetBytes("Grüße\r\n\e[1mlogin:\e[0m \r\n");
        for (var cut = 0; cut <= output.Length; cut++)
        {
            var console = Console();
            var match = console.ExpectAsync(["login:"], null, default);
            console.Receive(OutputKind.Out, output.AsSpan(0, cut));
            console.Receive(OutputKind.Out, output.AsSpan(cut));
            var found = await match;
            Assert.That((found.Index, found.Before, found.Text, console.Text), Is.EqualTo((0, "Grüße\n", "login:", " \n")), $"cut at {cut}");
        }
    }

    [Test]
    public async Task Expect_ByteByByte_FindsTheSameAsAtOnce()
    {
        Expectation[] patterns = ["needle", new Regex("ne(e+)dles?\n"), "漢字", Expectation.End];
        var output = Encoding.UTF8.GetBytes("nneedneeeedles\nneneedle漢漢字needleneedles");
        var whole = Console();
        whole.Receive(OutputKind.Out, output);
        whole.End(new ExitStatus(0), null);
        var pieces = Console();
        List<ExpectMatch> found = [await whole.ExpectAsync(patterns, null, default)];
        while (found[^1].Index != 3)
            found.Add(await whole.ExpectAsync(patterns, null, default));

        var waiting = pieces.ExpectAsync(patterns, null, default);
        var at = 0;
        foreach (var expected in found)
        {
            while (!waiting.IsCompleted && at < output.Length)
                pieces.Receive(OutputKind.Out, output.AsSpan(at++, 1));
            if (at == output.Length)
                pieces.End(new ExitStatus(0), null);
            var match = await waiting;
            Assert.That((match.Index, match.Before, match.Text), Is.EqualTo((expected.Index, expected.Before, expected.Text)));
            if (match.Index != 3)
                waiting = pieces.ExpectAsync(patterns, null, default);
        }

        Assert.That(found.Select(match => match.Index), Is.EqualTo(new[] { 1, 0, 2, 0, 0, 3 }));
    }

    [Test]
    public async Task Expect_Several_TheOneThatIsCompleteFirstWins()
    {
        var console = Console();
        Print(console, "foo bar foobar");
        Assert.That((await console.ExpectAsync(["bar", "foo"], null, default)).Index, Is.EqualTo(1));
        // "bar" is there before "bar f", and both begin at the same place.
        Assert.That((await console.ExpectAsync(["bar f", "bar"], null, default)).Index, Is.EqualTo(1));
        // Both are complete at the same place: the first named.
        Assert.That((await console.ExpectAsync(["bar", "foobar", "obar"], null, default)).Before, Is.EqualTo(" foo"));
    }

    [Test]
    public async Task Expect_Regex_GivesGroupsAndAnchorsAtTheLastMatch()
    {
        var console = Console();
        Print(console, "x: 12\r\ny: 345\r\n");
        var first = await console.ExpectAsync([new Regex(@"^(?<name>\w): (\d+)(!)?\n")], null, default);
        Assert.That((first.Groups, first.Group("name"), first.Group("none")), Is.EqualTo((new[] { "x: 12\n", "12", "", "x" }, "x", "")));
        var second = await console.ExpectAsync([new Regex(@"^y: (\d+)$", RegexOptions.Multiline)], null, default);
        Assert.That((second.Before, second.Groups[1], console.Text), Is.EqualTo(("", "345", "\n")));
    }

    [Test]
    public async Task Expect_Raw_MatchesEscapeSequences()
    {
        var console = Console(new ConsoleOptions { Raw = true });
        Print(console, "\e[1mbold\r\n");
        Assert.That((await console.ExpectAsync(["\e[1mbold\r\n"], null, default)).Before, Is.Empty);
    }

    [Test]
    public async Task Expect_MoreThanIsKept_LosesTheOldestAndSaysSo()
    {
        var console = Console(new ConsoleOptions { TextLimit = 4096 });
        Print(console, "first ");
        Print(console, new string('x', 5000) + "last");
        var missing = console.ExpectAsync(["first"], TimeSpan.FromSeconds(1), default);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await Failure(missing)).Message, Does.Contain("4096 characters that nothing has matched").And.Contains("914 characters before them were dropped"));
        Assert.That((await console.ExpectAsync(["last"], null, default)).Before, Has.Length.EqualTo(4092));
    }

    [Test]
    public async Task Expect_InALongPiece_FindsWhatWouldBeLostAtItsEnd()
    {
        var console = Console(new ConsoleOptions { TextLimit = 4096 });
        var match = console.ExpectAsync(["needle"], null, default);
        Print(console, $"needle{new string('x', 100_000)}");
        Assert.That((await match).Before, Is.Empty);
    }

    [Test]
    public async Task Expect_TooLong_IsAReport()
    {
        var console = Console();
        Print(console, "\e]0;a title\a\e[2J\e[HName: \e[1mx\r\n\e[0;5H");
        console.Send("hello\r", secret: false);
        console.Send("password\r", secret: true);
        var waiting = console.ExpectAsync(["login:", new Regex("pass(word)?:"), "a\nb"], TimeSpan.FromSeconds(2.5), default);
        _time.Advance(TimeSpan.FromSeconds(2.4));
        Assert.That(waiting.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        var failure = await Failure(waiting);
        Assert.That((failure.Failure, failure.Exit, failure.Screen.Row(0)), Is.EqualTo((ExpectFailure.TimedOut, (ExitStatus?)null, "Name: x")));
        Assert.That(failure.Message, Is.EqualTo(
            """
            Not seen within 2.5 s: "login:" or /pass(word)?:/ or "a\nb". The program has not ended.
            The screen, 6 rows of 40 columns, the cursor in row 0, column 4 (from 0):
              its title: a title
              +----------------------------------------
              |Name: x
              | (5 blank rows)
              +----------------------------------------
            8 characters that nothing has matched:
              "Name: x\n"
            What happened last, with the time since the console began and the output's offset (< received, > sent, ! answered):
                 0.000 s        0 < "\e]0;a title\u0007\e[2J\e[HName: \e[1mx\r\n\e[0;5H"
                 0.000 s       38 > "hello\r"
                 0.000 s       38 > "***"
            """));
    }

    [Test]
    public async Task Expect_NoTimeSaid_TakesTheOptions()
    {
        var console = Console(new ConsoleOptions { Timeout = TimeSpan.FromMinutes(1) });
        var waiting = console.ExpectAsync(["never"], null, default);
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.That(waiting.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await Failure(waiting)).Message, Does.StartWith("Not seen within 60 s"));
        Assert.That(_time.ActiveTimers, Is.Zero);
    }

    [Test]
    public async Task Expect_NoTime_LooksOnce()
    {
        var console = Console();
        Print(console, "here");
        Assert.That((await console.ExpectAsync(["here"], TimeSpan.Zero, default)).Text, Is.EqualTo("here"));
        var missing = console.ExpectAsync(["more"], TimeSpan.Zero, default);
        _time.Advance(TimeSpan.Zero);
        Assert.That((await Failure(missing)).Failure, Is.EqualTo(ExpectFailure.TimedOut));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => console.ExpectAsync(["more"], TimeSpan.FromSeconds(-2), default));
    }

    [Test]
    public async Task Expect_AfterTimingOut_FindsWhatComesLater()
    {
        var console = Console();
        Print(console, "par");
        var waiting = console.ExpectAsync(["part"], TimeSpan.FromSeconds(1), default);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Failure(waiting);
        Print(console, "t");
        Assert.That((await console.ExpectAsync(["part"], null, default)).Text, Is.EqualTo("part"));
    }

    [Test]
    public async Task Expect_Cancelled_TakesNothing()
    {
        var console = Console();
        Print(console, "text");
        using var cancellation = new CancellationTokenSource();
        var waiting = console.ExpectAsync(["text!"], null, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => waiting);
        Assert.That((console.Text, _time.ActiveTimers), Is.EqualTo(("text", 0)));
    }

    [Test]
    public async Task Expect_TwoForText_RefusesTheSecond()
    {
        var console = Console();
        var first = console.ExpectAsync(["one"], null, default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => console.ExpectAsync(["two"], null, default));
        await Assert.ThrowsAsync<InvalidOperationException>(() => console.ExpectEndAsync(null, default));
        Print(console, "one");
        Assert.That((await first.WaitAsync(Patience.Long)).Text, Is.EqualTo("one"));
    }

    [Test]
    public async Task Expect_ProgramEnds_SaysHowItEnded()
    {
        var console = Console();
        var waiting = console.ExpectAsync(["more"], null, default);
        Print(console, "last words");
        console.End(new ExitStatus(-9) { Reason = "over its memory limit" }, null);
        var failure = await Failure(waiting);
        Assert.That((failure.Failure, failure.Exit?.Signal), Is.EqualTo((ExpectFailure.Ended, 9)));
        Assert.That(failure.Message, Does.StartWith("The program ended (by signal 9: over its memory limit) before this was seen: \"more\".\n").And.Contains("\"last words\""));
        Assert.That((await Failure(console.ExpectAsync(["more"], null, default))).Failure, Is.EqualTo(ExpectFailure.Ended));
        Assert.That((await console.ExpectAsync(["words"], null, default)).Before, Is.EqualTo("last "));
    }

    [Test]
    public async Task Expect_SessionLost_SaysWhy()
    {
        var console = Console();
        var waiting = console.ExpectAsync([Expectation.End], null, default);
        console.End(null, new LinkException(FailureCode.NotFound, "detached: another came"));
        var failure = await Failure(waiting);
        Assert.That((await Failure(console.ExpectEndAsync(null, default))).Failure, Is.EqualTo(ExpectFailure.Lost));
        Assert.That(failure.Failure, Is.EqualTo(ExpectFailure.Lost));
        Assert.That(failure.Message, Does.StartWith("The session was lost (detached: another came) before this was seen: its end.\n"));
    }

    [Test]
    public async Task ExpectEnd_Ended_TakesTheRest()
    {
        var console = Console();
        Print(console, "prompt: rest\r");
        await console.ExpectAsync(["prompt:"], null, default);
        var waiting = console.ExpectEndAsync(null, default);
        console.End(new ExitStatus(3), null);
        Assert.That(await waiting, Is.EqualTo(new ConsoleEnd(" rest\r", new ExitStatus(3))));
        Assert.That((console.Text, (await console.ExpectEndAsync(null, default)).Text), Is.EqualTo(("", "")));
    }

    [Test]
    public async Task ExpectEnd_AmongPatterns_MatchesWhereNoOtherDoes()
    {
        var console = Console();
        Print(console, "one two");
        var waiting = console.ExpectAsync([Expectation.End, "three"], null, default);
        console.End(new ExitStatus(0), null);
        var match = await waiting;
        Assert.That((match.Index, match.Before, match.Text), Is.EqualTo((0, "one two", "")));
    }

    [Test]
    public async Task ExpectScreen_Condition_SeesWholeScreensOnly()
    {
        var console = Console();
        var seen = new List<string>();
        var waiting = console.ExpectScreenAsync(
            screen =>
            {
                seen.Add(screen.Text);
                return screen.Row(1) == "two" && screen.Cursor == (1, 3);
            },
            "a condition",
            null,
            default);
        Print(console, "\e[2J\e[1;1Hone\e[2;");
        Print(console, "1Htw");
        Print(console, "o");
        Assert.That((await waiting).Text, Is.EqualTo("one\ntwo"));
        Assert.That(seen, Is.EqualTo(new[] { "", "one", "one\ntw", "one\ntwo" }));
        Print(console, "!");
        Assert.That(seen, Has.Count.EqualTo(4));
    }

    [Test]
    public async Task ExpectScreen_ItsConditionThrows_IsTheCallersError()
    {
        var console = Console();
        var waiting = console.ExpectScreenAsync(screen => screen.Row(0) == "x" && screen.Row(99) == "", "a condition", null, default);
        Print(console, "x");
        await Assert.ThrowsAsync<IndexOutOfRangeException>(() => waiting);
        var later = console.ExpectAsync(["y"], null, default);
        Print(console, "y");
        Assert.That((await later).Before, Is.EqualTo("x"));
    }

    [Test]
    public async Task Resize_Screen_IsSeenByWhoWaits()
    {
        var console = Console();
        var waiting = console.ExpectScreenAsync(screen => screen is { Rows: 10, Columns: 20 }, "a size", null, default);
        console.Resize(new TerminalSize(10, 20));
        Assert.That((await waiting).Columns, Is.EqualTo(20));
    }

    [Test]
    public void Screen_WithoutTerminal_BeginsARowAtEachLine()
    {
        var console = new ConsoleState(null, new ConsoleOptions(), answers: true, _time);
        console.Receive(OutputKind.Out, "one\ntwo\n\e[6n"u8);
        console.Receive(OutputKind.Error, "three\n"u8);
        Assert.That((console.Screen.Text, console.TakeAnswers().Length), Is.EqualTo(("one\ntwo\nthree", 0)));
    }

    [Test]
    public void Spell_CursorKeys_FollowTheProgramsMode()
    {
        var console = Console();
        Assert.That(console.Spell([Keys.Up, "x", Keys.F1]), Is.EqualTo("\e[Ax\eOP"));
        Print(console, "\e[?1h");
        Assert.That(console.Spell([Keys.Up, Keys.Home, Ctrl.C]), Is.EqualTo("\eOA\eOH\u0003"));
        Print(console, "\e[?1l");
        Assert.That(console.Spell([Keys.Left]), Is.EqualTo("\e[D"));
    }

    [Test]
    public void Transcript_PiecesOfOutput_AreOneEntryWhateverTheirCuts()
    {
        var console = Console();
        Print(console, "on");
        Print(console, "e\r\n");
        console.Send("x", secret: false);
        _time.Advance(TimeSpan.FromSeconds(2));
        Print(console, "two");
        Assert.That(console.Transcript, Is.EqualTo(new TranscriptEntry[]
        {
            new(TranscriptKind.Received, TimeSpan.Zero, 0, "one\r\n"),
            new(TranscriptKind.Sent, TimeSpan.Zero, 5, "x"),
            new(TranscriptKind.Received, TimeSpan.FromSeconds(2), 5, "two"),
        }));
    }

    [Test]
    public void Transcript_MoreThanIsKept_LosesTheOldest()
    {
        var console = Console(new ConsoleOptions { TranscriptLimit = 4096 });
        for (var i = 0; i < 200; i++)
        {
            Print(console, new string('x', 100));
            console.Send($"line {i}", secret: false);
        }

        Assert.That(console.Transcript.Sum(entry => entry.Text.Length), Is.InRange(2000, 4096));
        Assert.That(console.Transcript[^1].Text, Is.EqualTo("line 199"));
        console.Send(new string('y', 10_000), secret: false);
        Assert.That(console.Transcript[^1].Text, Does.EndWith("y... (10000 characters)").And.Length.LessThan(1100));
    }

    [Test]
    public void Miss_Output_StandsInTheTranscript()
    {
        var console = Console();
        Print(console, "one");
        console.Miss(100);
        console.Miss(100);
        Print(console, "two");
        Assert.That(console.Transcript.Select(entry => (entry.Offset, entry.Text)), Is.EqualTo(new[] { (0L, "one"), (3L, "100 bytes of output never came"), (103L, "two") }));
    }

    [Test]
    public void Answers_CursorAsked_AreOfTheMomentOfAsking()
    {
        var console = Console();
        Assert.That(console.Receive(OutputKind.Out, "\e[3;5H\e[6n\e[1;1H"u8), Is.True);
        Assert.That(Encoding.ASCII.GetString(console.TakeAnswers()), Is.EqualTo("\e[3;5R"));
        Assert.That(console.Transcript[^1], Is.EqualTo(new TranscriptEntry(TranscriptKind.Answered, TimeSpan.Zero, 16, "\e[3;5R")));
        Assert.That(console.Receive(OutputKind.Out, "x"u8), Is.False);
    }

    private static void Print(ConsoleState console, string text) => console.Receive(OutputKind.Out, Encoding.UTF8.GetBytes(text));

    private static async Task<ExpectException> Failure(Task waiting) => (await Assert.ThrowsAsync<ExpectException>(() => waiting.WaitAsync(Patience.Long)))!;

    private ConsoleState Console(ConsoleOptions? options = null) => new(Size, options ?? new ConsoleOptions(), answers: true, _time);
}
