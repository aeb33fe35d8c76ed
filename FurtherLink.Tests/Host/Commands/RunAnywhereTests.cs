namespace FurtherLink.Tests.Host.Commands;

/// <summary>"furtherlink run" behaves as the program itself would in a shell, in its own process and through a child that speaks over its pipes.</summary>
[TestFixture("")]
[TestFixture(CommandShell.OverStdio)]
internal sealed class RunAnywhereTests(string device)
{
    private TemporaryFolder _folder = null!;
    private CommandShell _shell = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _shell = new CommandShell(_folder);
        _shell.Use(device);
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [TestCase("exit 7", 7)]
    [TestCase("kill -KILL $$", 137)]
    [TestCase("kill -SEGV $$", 139)]
    public async Task Program_Ended_CommandEndsAlike(string script, int code)
    {
        var (actual, output, errors) = await _shell.RunAsync($"furtherlink run -- sh -c '{script}'");
        Assert.That((actual, output, errors), Is.EqualTo((code, "", "")));
    }

    [Test]
    public async Task Streams_Redirected_StaySeparateAndEnd()
    {
        var (code, output, errors) = await _shell.RunAsync("printf 'a\\0b' | furtherlink run -- sh -c 'cat; echo wrong >&2; test -t 1 || test -t 0 || echo no terminal'");
        Assert.That((code, output, errors), Is.EqualTo((0, "a\0bno terminal\n", "wrong\n")));
    }

    [Test]
    public async Task Output_NobodyReads_EndsItQuietlyAsAPipeDoes()
    {
        var (code, output, errors) = await _shell.RunAsync("furtherlink run -- yes | head -1; echo ${PIPESTATUS[0]}");
        Assert.That((code, output, errors), Is.EqualTo((0, "y\n141\n", "")));
    }

    [Test]
    public async Task Output_ThatCannotBeWritten_EndsItWithTheReason()
    {
        var (code, _, errors) = await _shell.RunAsync("furtherlink run -- yes > /dev/full; exit $?");
        Assert.That((code, errors), Is.EqualTo((125, "furtherlink: the output cannot be written: write: No space left on device\n")));
    }

    [TestCase("INT", 2)]
    [TestCase("TERM", 15)]
    [TestCase("QUIT", 3)]
    [TestCase("HUP", 1)]
    public async Task Signal_WithoutTerminal_GoesToTheProgram(string signal, int number)
    {
        await using var command = _shell.Start($"furtherlink run -- bash -c 'trap \"echo got {number}; exit {number}0\" {signal}; echo ready; while :; do sleep 0.05; done'");
        await command.ReadUntilAsync("ready");
        command.Signal(signal);
        await command.ReadUntilAsync($"got {number}");
        Assert.That(await command.ExitAsync(), Is.EqualTo(number * 10));
    }

    [Test]
    public async Task Interrupt_WhileTheProgramDoesNotReadItsInput_GetsThrough()
    {
        await using var command = _shell.Start("furtherlink run -- bash -c 'trap \"echo got it; exit 9\" INT; echo ready; while :; do sleep 0.05; done' < <(yes)");
        await command.ReadUntilAsync("ready");
        command.Signal("INT");
        await command.ReadUntilAsync("got it");
        Assert.That(await command.ExitAsync(), Is.EqualTo(9));
    }
}
