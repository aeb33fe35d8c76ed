using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host.Commands;

/// <summary>"furtherlink run" on a terminal: its program has one, too, of the same size, and the person's comes back as it was.</summary>
[TestFixture("")]
[TestFixture(CommandShell.OverStdio)]
internal sealed class RunTerminalTests(string device)
{
    private TestHost _host = null!;
    private TemporaryFolder _folder = null!;
    private TerminalShell _terminal = null!;

    [SetUp]
    public async Task SetUpAsync()
    {
        _host = new TestHost();
        _folder = new TemporaryFolder();
        var shell = new CommandShell(_folder);
        shell.Use(device);
        _terminal = await TerminalShell.StartAsync(_host, _folder, shell.Variables);
        await _terminal.CommandAsync("stty -g > before");
    }

    [TearDown]
    public async Task TearDownAsync()
    {
        await _terminal.DisposeAsync();
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Window_Resized_ResizesTheProgramsTerminal()
    {
        await _terminal.CommandAsync("furtherlink run -- bash -c 'trap \"echo now $(stty size); exit 3\" WINCH; stty size; while :; do sleep 0.05; done'; echo \"=$?=\"");
        await _terminal.SeeAsync("30 100\r\n");
        await _terminal.ResizeAsync(40, 120);
        await _terminal.SeeAsync("now ");
        await _terminal.SeeAsync("=3=");
        await ExpectSettingsBackAsync();
    }

    [Test]
    public async Task CtrlC_Typed_InterruptsTheProgramAlone()
    {
        await _terminal.CommandAsync("furtherlink run -- bash -c 'trap \"echo got it; exit 5\" INT; echo rea\"\"dy; while :; do sleep 0.05; done'; echo \"=$?=\"");
        await _terminal.SeeAsync("ready");
        await _terminal.TypeAsync("\u0003");
        await _terminal.SeeAsync("got it");
        await _terminal.SeeAsync("=5=");
        await ExpectSettingsBackAsync();
    }

    [Test]
    public async Task Typing_OfAnInteractiveProgram_IsEchoedOnce()
    {
        await _terminal.CommandAsync("furtherlink run -- sh -c 'echo rea\"\"dy; read line; echo \"[$line]\"'");
        await _terminal.SeeAsync("ready\r\n");
        await _terminal.TypeAsync("hello\r");
        Assert.That(await _terminal.SeeAsync("[hello]"), Is.EqualTo("hello\r\n[hello]"));
        await ExpectSettingsBackAsync();
    }

    [TestCase("TERM", 143)]
    [TestCase("HUP", 129)]
    public async Task Signal_ToTheCommand_GivesTheTerminalBackAndEndsTheProgram(string signal, int code)
    {
        await _terminal.CommandAsync($"(echo $BASHPID > command; exec furtherlink run -- bash -c 'echo $$ > {_folder["pid"]}; echo rea\"\"dy; while :; do sleep 0.05; done'); echo \"=$?=\"");
        await _terminal.SeeAsync("ready");
        var program = int.Parse(await File.ReadAllTextAsync(_folder["pid"]));
        using (var kill = System.Diagnostics.Process.Start("/bin/sh", ["-c", $"kill -{signal} $(cat {_folder["command"]})"]))
            await kill.WaitForExitAsync();
        await _terminal.SeeAsync($"={code}=");
        await ExpectSettingsBackAsync();
        await Patience.UntilAsync(() => !Directory.Exists($"/proc/{program}"), "the program's end");
    }

    [Test]
    public async Task Terminal_AskedForOrNot_IsAsAsked()
    {
        await _terminal.CommandAsync("furtherlink run --no-tty -- sh -c 'test -t 0 || echo no ter\"\"minal'");
        await _terminal.SeeAsync("no terminal\r\n");
        await _terminal.CommandAsync("furtherlink run --tty -- sh -c 'tty; stty size' < /dev/null | cat");
        await _terminal.SeeAsync("/dev/pts/");
        await _terminal.CommandAsync("furtherlink run -- sh -c 'test -t 1 || echo p\"\"iped' | cat");
        await _terminal.SeeAsync("piped");
    }

    private async Task ExpectSettingsBackAsync()
    {
        await _terminal.CommandAsync("stty -g | cmp - before && echo as be\"\"fore");
        await _terminal.SeeAsync("as before");
    }
}
