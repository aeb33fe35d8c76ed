using System.Text.RegularExpressions;
using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Client.Consoles;

/// <summary>Programs that people use at a terminal, driven as by a person: once, or in the long form two hundred times in a row.</summary>
internal sealed class ProgramTests
{
    private ClientRig _rig = null!;
    private string _folder = null!;

    private FurtherLinkClient Client => _rig.Client;

    [SetUp]
    public void SetUp()
    {
        _rig = new ClientRig();
        _folder = Directory.CreateDirectory(Path.Combine(_rig.Host.Folder, "home")).FullName;
    }

    [TearDown]
    public async Task TearDownAsync() => await _rig.DisposeAsync();

    [Test]
    public Task Vim_AFileIsWritten() => RepeatAsync(async () =>
    {
        var file = Path.Combine(_folder, "notes.txt");
        File.Delete(file);
        await using var vim = await StartAsync("vim", "notes.txt");
        await vim.ExpectScreenAsync(screen => screen.Row(-1).StartsWith("\"notes.txt\" [New]", StringComparison.Ordinal) && screen.Cursor == (0, 0));
        Assert.That(vim.Screen.IsAlternate, Is.True);
        await vim.SendKeysAsync("i", "second", Keys.Home, "first", Keys.Enter, Keys.Down, Keys.End, Keys.Enter, "thid", Keys.Left, "r");
        await vim.ExpectScreenAsync(screen => screen.Text.StartsWith("first\nsecond\nthird\n~", StringComparison.Ordinal) && screen.Cursor == (2, 4));
        await vim.SendKeysAsync(Keys.Escape);
        await vim.ExpectScreenAsync(screen => !screen.Contains("-- INSERT --") && screen.Cursor == (2, 3));
        await vim.SendKeysAsync(":wq", Keys.Enter);
        Assert.That((await vim.ExpectEndAsync()).Exit.Code, Is.Zero);
        Assert.That(await File.ReadAllTextAsync(file), Is.EqualTo("first\nsecond\nthird\n"));
        Assert.That(vim.Transcript.Select(entry => entry.Kind), Does.Contain(TranscriptKind.Answered));
    });

    [Test]
    public Task Less_PagesAndSearches() => RepeatAsync(async () =>
    {
        await File.WriteAllLinesAsync(Path.Combine(_folder, "numbers.txt"), Enumerable.Range(1, 100).Select(i => $"line {i}"));
        await using var less = await StartAsync("less", "numbers.txt");
        await less.ExpectScreenAsync(screen => screen.Row(0) == "line 1" && screen.Row(-1) == "numbers.txt" && screen.Cursor == (23, 11));
        await less.SendKeysAsync(Keys.PageDown);
        await less.ExpectScreenAsync(screen => screen.Row(0) == "line 24" && screen.Row(-1) == ":" && screen.Cursor == (23, 1));
        await less.SendKeysAsync(Keys.Down);
        await less.ExpectScreenAsync(screen => screen.Row(0) == "line 25" && screen.Row(-1) == ":" && screen.Cursor == (23, 1));
        await less.SendLineAsync("/line 70");
        await less.ExpectScreenAsync(screen => screen.Row(0) == "line 70" && screen.Row(-1) == ":" && screen.Cursor == (23, 1));
        await less.SendKeysAsync(Keys.End);
        await less.ExpectScreenAsync(screen => screen.Row(-2) == "line 100" && screen.Row(-1) == "(END)");
        await less.SendAsync("q");
        Assert.That((await less.ExpectEndAsync()).Exit.Code, Is.Zero);
    });

    [Test]
    public Task Top_ShowsItsHelpAndGoesOn() => RepeatAsync(async () =>
    {
        await using var top = await StartAsync("top");
        await top.ExpectScreenAsync(screen => ShowsProcesses(screen));
        await top.SendAsync("h");
        await top.ExpectScreenAsync("Help for Interactive Commands");
        await top.SendKeysAsync(Keys.Escape);
        await top.ExpectScreenAsync(screen => ShowsProcesses(screen));
        await top.SendAsync("q");
        Assert.That((await top.ExpectEndAsync()).Exit.Code, Is.Zero);

        static bool ShowsProcesses(ConsoleScreen screen) =>
            screen.Row(0).Contains("load average:", StringComparison.Ordinal) && screen.Row(6).Contains("PID USER", StringComparison.Ordinal);
    });

    [Test]
    public Task Python_Interactive_EvaluatesRecallsAndIsInterrupted() => RepeatAsync(async () =>
    {
        await using var python = await StartAsync("python3", "-q");
        await python.ExpectAsync(">>> ");
        await python.SendLineAsync("6 * 7");
        Assert.That((await python.ExpectAsync("\n42\n")).Before, Is.EqualTo("6 * 7"));
        await python.ExpectAsync(">>> ");
        await python.SendLineAsync("def double(x):");
        await python.ExpectAsync("... ");
        await python.SendLineAsync("    return '<' + x * 2 + '>'");
        await python.ExpectAsync("... ");
        await python.SendLineAsync();
        await python.ExpectAsync(">>> ");
        await python.SendLineAsync("double('é漢')");
        await python.ExpectAsync("'<é漢é漢>'\n>>> ");
        await python.SendKeysAsync(Keys.Up, Keys.Up, Keys.Down, Keys.Enter);
        await python.ExpectAsync("'<é漢é漢>'\n>>> ");
        await python.SendLineAsync("exec(\"print('bu' + 'sy')\\nwhile 1: pass\")");
        await python.ExpectAsync("busy\n");
        await python.SendKeysAsync(Ctrl.C);
        await python.ExpectAsync("KeyboardInterrupt\n>>> ");
        await python.SendLineAsync("input('more? ')");
        await python.ExpectAsync("\nmore? ");
        await python.SendKeysAsync(Ctrl.D);
        await python.ExpectAsync("EOFError\n>>> ");
        await python.SendLineAsync("exit(5)");
        Assert.That((await python.ExpectEndAsync()).Exit.Code, Is.EqualTo(5));
    });

    [Test]
    public Task Password_AskedByPython_IsTypedAndNotShown() => RepeatAsync(() => PasswordAsync(
        "python3", "-c", "import getpass; print('got', len(getpass.getpass('Password: ')))"));

    [Test]
    public Task Password_AskedByBash_IsTypedAndNotShown() => RepeatAsync(() => PasswordAsync(
        "bash", "-c", "read -s -p 'Password: ' password; echo; echo got ${#password}"));

    [Test]
    public Task Bash_Interactive_RunsCommandAfterCommand() => RepeatAsync(async () =>
    {
        await using var bash = await StartAsync("bash", "--norc");
        await bash.ExpectAsync(new Regex("[#$] "));
        await bash.SendLineAsync("PS1='ready> '");
        await bash.ExpectAsync("ready> ");
        await bash.ExpectAsync("ready> ");
        for (var i = 0; i < 5; i++)
        {
            await bash.SendLineAsync($"echo $(({i} * 3)) done; (exit {i})");
            Assert.That((await bash.ExpectAsync(new Regex("\n(\\d+) done\n"))).Groups[1], Is.EqualTo($"{i * 3}"));
            await bash.ExpectAsync("ready> ");
        }

        // What is typed for cat before bash has given the terminal back is no line to it: something says that it has.
        await bash.SendLineAsync("echo now; cat");
        await bash.ExpectAsync("\nnow\n");
        await bash.SendLineAsync("through");
        await bash.ExpectAsync("through\nthrough\n");
        await bash.SendKeysAsync(Ctrl.D);
        await bash.ExpectAsync("ready> ");
        await bash.SendLineAsync("exit 7");
        Assert.That((await bash.ExpectEndAsync()).Exit.Code, Is.EqualTo(7));
    });

    [Test]
    public Task Bash_JobControl_WorksAsAtAConsole() => RepeatAsync(async () =>
    {
        // Says that it has the terminal: only then does Ctrl-C reach it.
        await File.WriteAllTextAsync(Path.Combine(_folder, "job"), "echo in front; exec sleep 1000");
        await using var bash = await StartAsync("bash", "--norc");
        await bash.SendLineAsync("PS1='ready''> '");
        await bash.ExpectAsync("ready> ");
        await bash.SendLineAsync("sh job");
        await bash.ExpectAsync("in front\n");
        await bash.SendKeysAsync(Ctrl.C);
        await bash.ExpectAsync("ready> ");
        await bash.SendLineAsync("echo code=$?; sh job");
        await bash.ExpectAsync("code=130\nin front\n");
        await bash.SendKeysAsync(Ctrl.Z);
        await bash.ExpectAsync("Stopped");
        await bash.ExpectAsync("ready> ");
        await bash.SendLineAsync("bg; jobs -r | wc -l | sed s/^/running=/; kill %1; wait %1; echo code=$?");
        await bash.ExpectAsync("running=1\n");
        await bash.ExpectAsync("code=143\n");
        await bash.ExpectAsync("ready> ");
        await bash.SendKeysAsync(Ctrl.D);
        Assert.That((await bash.ExpectEndAsync()).Exit.Code, Is.Zero);
    });

    private async Task PasswordAsync(string program, params string[] arguments)
    {
        await using var console = await StartAsync(program, arguments);
        await console.ExpectAsync("Password: ");
        await console.SendLineAsync("swordfish", secret: true);
        await console.ExpectAsync("got 9\n");
        Assert.That((await console.ExpectEndAsync()).Exit.Code, Is.Zero);
        Assert.That(console.Transcript.Select(entry => entry.Text), Has.None.Contains("swordfish").And.Contains("***"));
    }

    private Task<ConsoleSession> StartAsync(string program, params string[] arguments) => Client.StartConsoleAsync(new RunRequest("program")
    {
        Arguments = [program, .. arguments],
        Path = _folder,
        Environment = new Dictionary<string, string?> { ["HOME"] = _folder, ["LANG"] = "C.UTF-8", ["LC_ALL"] = null, ["LESS"] = null, ["PATH"] = "/usr/bin:/bin" },
    });

    private static async Task RepeatAsync(Func<Task> drive)
    {
        var times = SoakSize.Of(shortForm: 1, longForm: 200);
        for (var i = 0; i < times; i++)
            await drive();
    }
}
