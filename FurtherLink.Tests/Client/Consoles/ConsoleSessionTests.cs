using System.Text;
using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Client.Consoles;

/// <summary>Consoles of programs that the test plays, over a server in this process.</summary>
internal sealed class ConsoleSessionTests
{
    private static readonly RunRequest Fake = new("fake");

    private ClientRig _rig = null!;

    private FurtherLinkClient Client => _rig.Client;

    [SetUp]
    public void SetUp() => _rig = new ClientRig();

    [TearDown]
    public async Task TearDownAsync() => await _rig.DisposeAsync();

    [Test]
    public async Task Start_NothingSaid_GivesATerminalOfItsOwn()
    {
        await using var console = await Client.StartConsoleAsync(Fake);
        var request = (await _rig.Host.Runner.NextAsync()).Request;
        Assert.That((request.Terminal, request.Environment["TERM"]), Is.EqualTo((new TerminalSize(24, 80), "xterm-256color")));
        Assert.That((console.Screen.Rows, console.Screen.Columns), Is.EqualTo((24, 80)));
    }

    [Test]
    public async Task Start_TerminalSaid_GivesThat()
    {
        var asked = Fake with { Terminal = new TerminalSize(10, 20), Environment = new Dictionary<string, string?> { ["TERM"] = "vt100", ["A"] = "b" } };
        await using var console = await Client.StartConsoleAsync(asked);
        var request = (await _rig.Host.Runner.NextAsync()).Request;
        Assert.That((request.Terminal, request.Environment["TERM"], request.Environment["A"]), Is.EqualTo((asked.Terminal, "vt100", "b")));
        Assert.That((console.Screen.Rows, console.Screen.Columns), Is.EqualTo((10, 20)));
    }

    [Test]
    public async Task Program_ThatAsks_IsAnswered()
    {
        var (console, program) = await StartAsync();
        await program.PrintAsync("Na");
        var asked = console.ExpectAsync("Name: ");
        await program.PrintAsync("me: ");
        Assert.That((await asked).Before, Is.Empty);
        await console.SendLineAsync("Ada");
        await console.SendLineAsync("secret", secret: true);
        await program.TakeAsync("Ada\rsecret\r");
        await program.PrintAsync("hello\r\n");
        program.Exit(3);
        var end = await console.ExpectEndAsync();
        Assert.That((end.Text, end.Exit.Code, (await console.Exited).Code), Is.EqualTo(("hello\n", 3, 3)));
        Assert.That(
            console.Transcript.Select(entry => (entry.Kind, entry.Text)),
            Is.EqualTo(new[]
            {
                (TranscriptKind.Received, "Name: "), (TranscriptKind.Sent, "Ada\r"), (TranscriptKind.Sent, "***"), (TranscriptKind.Received, "hello\r\n"),
            }));
    }

    [Test]
    public async Task Send_AfterTheEnd_IsAReport()
    {
        var (console, program) = await StartAsync();
        await program.PrintAsync("bye");
        program.Exit(0);
        await console.ExpectEndAsync();
        var failure = (await Assert.ThrowsAsync<ExpectException>(() => console.SendAsync("more")))!;
        Assert.That((failure.Failure, failure.Exit?.Code), Is.EqualTo((ExpectFailure.NotSent, 0)));
        Assert.That(failure.Message, Does.StartWith("It could not be sent: ").And.Contains("|bye"));
    }

    [Test]
    public async Task SendKeys_Cursor_FollowsTheProgramsMode()
    {
        var (console, program) = await StartAsync();
        await console.SendKeysAsync(Keys.Up, Ctrl.C, "x");
        await program.TakeAsync("\e[A\u0003x");
        await program.PrintAsync("\e[?1hready");
        await console.ExpectAsync("ready");
        await console.SendKeysAsync(Keys.Up, Alt.Of('x'));
        await program.TakeAsync("\eOA\ex");
    }

    [Test]
    public async Task Question_ToTheTerminal_IsAnsweredBeforeWhatIsSentNext()
    {
        var (console, program) = await StartAsync();
        await program.PrintAsync("\e[2;3H\e[6n\e[c");
        await program.TakeAsync("\e[2;3R\e[?62;22c");
        await program.PrintAsync("\e[5nprompt");
        await console.ExpectAsync("prompt");
        await console.SendAsync("text");
        await program.TakeAsync("\e[0ntext");
    }

    [Test]
    public async Task Question_NobodyToAnswer_IsNot()
    {
        var (console, program) = await StartAsync(new ConsoleOptions { AnswersQueries = false });
        await program.PrintAsync("\e[6n\e[cprompt");
        await console.ExpectAsync("prompt");
        await console.SendAsync("text");
        await program.TakeAsync("text");
    }

    [Test]
    public async Task Question_WithoutEndAndNobodyReading_HoldsUpNothing()
    {
        var (console, program) = await StartAsync();
        var questions = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("\e[6n", 16 * 1024)));
        for (var i = 0; i < 30; i++)
            await program.PrintAsync(questions).WaitAsync(Patience.Long);
        await program.PrintAsync("done");
        await console.ExpectAsync("done");
        await console.DisposeAsync();
        Assert.That(program.IsDisposed, Is.True);
    }

    [Test]
    public async Task Dispose_SomebodyWaits_TellsHim()
    {
        var (console, program) = await StartAsync();
        await program.PrintAsync("text");
        await console.ExpectAsync("te");
        var waiting = console.ExpectAsync("never");
        await console.DisposeAsync();
        await console.DisposeAsync();
        Assert.That((await Assert.ThrowsAsync<ExpectException>(() => waiting.WaitAsync(Patience.Long)))!.Failure, Is.EqualTo(ExpectFailure.Lost));
        Assert.That(program.IsDisposed, Is.True);
    }

    [Test]
    public async Task Stop_Floods_IsTheEnd()
    {
        await using var console = await Client.StartConsoleAsync(new RunRequest("program") { Arguments = ["yes"] }, new ConsoleOptions { TextLimit = 4096 });
        await console.ExpectAsync("y\ny\n");
        Assert.That((await console.StopAsync().WaitAsync(Patience.Long)).Code, Is.EqualTo(-15));
        Assert.That((await console.ExpectEndAsync()).Text, Has.Length.LessThanOrEqualTo(4096));
    }

    [Test]
    public async Task Resize_Any_IsTheScreensAndTheProgramsToo()
    {
        var (console, program) = await StartAsync();
        await console.ResizeAsync(new TerminalSize(30, 100));
        Assert.That((console.Screen.Rows, console.Screen.Columns), Is.EqualTo((30, 100)));
        Assert.That(program.Controls, Is.EqualTo(new object[] { new TerminalSize(30, 100) }));
        await Assert.ThrowsAsync<LinkException>(() => console.ResizeAsync(new TerminalSize(-1, 100)));
        Assert.That((console.Screen.Rows, console.Screen.Columns), Is.EqualTo((30, 100)));
    }

    [Test]
    public async Task Attach_FromNowOn_ShowsTheScreenAndTakesWhatComes()
    {
        var (first, program) = await StartAsync();
        await program.PrintAsync("before\e[6n");
        await program.TakeAsync("\e[1;7R");
        await using var second = await _rig.Connect().AttachConsoleAsync(first.Session.Id, new AttachRequest { Screen = true, Access = Access.View });
        Assert.That((second.Screen.Row(0), second.Screen.Cursor, second.Text), Is.EqualTo(("before", (0, 6), "")));
        await program.PrintAsync(" after\e[6n!");
        Assert.That((await second.ExpectAsync("!")).Before, Is.EqualTo(" after"));
        // Who only looks on does not answer.
        await program.TakeAsync("\e[1;13R");
        await first.ResizeAsync(new TerminalSize(5, 50));
        await second.ExpectScreenAsync(screen => screen is { Rows: 5, Columns: 50 });
        Assert.That(second.Screen.Row(0), Is.EqualTo("before after!"));
        Assert.That((await first.ExpectAsync("!")).Before, Is.EqualTo("before after"));
    }

    [Test]
    public async Task Attach_FromTheStart_ReadsAgainAndAnswersNothingAgain()
    {
        await using var console = await Client.StartConsoleAsync(Fake with { Session = new SessionOptions { WhenDetached = WhenDetached.Keep } });
        var program = await _rig.Host.Runner.NextAsync();
        await program.PrintAsync("before\e[6n");
        await program.TakeAsync("\e[1;7R");
        await console.DisposeAsync();
        await using var again = await Client.AttachConsoleAsync(console.Session.Id, new AttachRequest());
        await again.ExpectAsync("before");
        await again.SendAsync("x");
        await program.TakeAsync("x");
        await again.StopAsync();
    }

    [Test]
    public async Task Attach_WithoutTerminal_DrivesPipes()
    {
        await using var session = await Client.StartAsync(Fake with { Session = new SessionOptions { AllDrive = true } });
        var program = await _rig.Host.Runner.NextAsync();
        await using var console = await _rig.Connect().AttachConsoleAsync(session.Id, new AttachRequest());
        await program.PrintAsync("out\n");
        await console.ExpectAsync("out\n");
        await program.PrintAsync("error\n", OutputKind.Error);
        await console.ExpectAsync("error\n");
        await console.SendLineAsync("line");
        await program.TakeAsync("line\n");
        Assert.That(console.Screen.Text, Is.EqualTo("out\nerror"));
    }

    [Test]
    public async Task Connection_Cut_GoesOnAtTheNextByte()
    {
        var (client, wire) = _rig.ConnectCuttable();
        await using var console = await client.StartConsoleAsync(Fake);
        var program = await _rig.Host.Runner.NextAsync();
        await program.PrintAsync("one tw");
        await console.ExpectAsync("one ");
        wire.Cut();
        await program.PrintAsync("o three");
        Assert.That((await console.ExpectAsync("three")).Before, Is.EqualTo("two "));
        await console.SendLineAsync("x");
        await program.TakeAsync("x\r");
    }

    private async Task<(ConsoleSession Console, FakeProcess Program)> StartAsync(ConsoleOptions? options = null) =>
        (await Client.StartConsoleAsync(Fake, options), await _rig.Host.Runner.NextAsync());
}
