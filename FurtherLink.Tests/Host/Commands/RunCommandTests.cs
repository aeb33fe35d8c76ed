namespace FurtherLink.Tests.Host.Commands;

/// <summary>"furtherlink run" without a device: in its own process, as the program itself would behave in a shell.</summary>
[TestFixture]
internal sealed class RunCommandTests
{
    private TemporaryFolder _folder = null!;
    private CommandShell _shell = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = new TemporaryFolder();
        _shell = new CommandShell(_folder);
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Environment_InThisProcess_IsThatOfTheCommand()
    {
        _shell.Variables["HERE"] = "kept";
        _shell.Variables["TERM"] = "vt52";
        _shell.Variables["HOME"] = "/nowhere";
        var (code, output, _) = await _shell.RunAsync("furtherlink run --env ONE=1=1 --env HERE -- sh -c 'echo $HERE $TERM $HOME $ONE; pwd'");
        Assert.That((code, output), Is.EqualTo((0, $"kept vt52 /nowhere 1=1\n{_folder.Path}\n")));
    }

    [Test]
    public async Task File_OfEachKind_IsRunByWhatItIsFor()
    {
        _folder.Write("appsettings.json", """{"FurtherLink":{"Runners":{"count":{"Command":"wc -l {file}","Extension":".lines"}}}}""");
        _folder.Write("sub/hello.py", "import os, sys\nprint(sys.argv[1:], os.path.basename(os.getcwd()))");
        _folder.Write("hello.sh", "#!/bin/sh\necho $0 $1");
        _folder.Write("three.lines", "1\n2\n3\n");
        var (code, output, errors) = await _shell.RunAsync("furtherlink run sub/hello.py one -- --two; chmod +x hello.sh; furtherlink run hello.sh x; furtherlink run three.lines; furtherlink run --runner python3 --directory / sub/hello.py");
        Assert.That((code, output, errors), Is.EqualTo((0, $"['one', '--two'] sub\n{_folder["hello.sh"]} x\n3 {_folder["three.lines"]}\n[] \n", "")));
    }

    [TestCase("run -- no-such-program", 127, "there is no program \"no-such-program\"")]
    [TestCase("run no-such-file", 127, "there is no file no-such-file here; for a program of the device write: furtherlink run -- no-such-file")]
    [TestCase("run -- /etc/hostname", 126, "/etc/hostname")]
    [TestCase("run /etc", 126, "/etc is a directory")]
    [TestCase("run --bogus x.py", 2, "run: there is no option --bogus; a program of the device stands behind \"--\"")]
    [TestCase("run --bogus -- x", 2, "run: there is no option --bogus")]
    [TestCase("run --runner python3 -- x.py", 2, "behind \"--\" stands a program of the device, which no runner runs; leave out --runner")]
    [TestCase("run --runner program x.py", 2, "the runner \"program\" runs programs of the device, not files; write: furtherlink run -- x.py")]
    [TestCase("run --runner nothing", 125, "there is no runner \"nothing\"")]
    [TestCase("run --user no-such-user -- id", 125, "there is no user \"no-such-user\"")]
    [TestCase("run --detach -- true", 125, "furtherlink serve")]
    [TestCase("run --keep -- true", 125, "furtherlink serve")]
    [TestCase("list", 125, "no server runs on this machine. Start one with \"furtherlink serve\"")]
    [TestCase("attach x", 125, "no server runs on this machine")]
    [TestCase("list --device unix:/no/such/socket", 125, "is the server running?")]
    [TestCase("run --device exec:false -- true", 125, "exec:false")]
    [TestCase("run --device ws://127.0.0.1:9 -- true", 125, "ws://127.0.0.1:9/run cannot be reached")]
    public async Task Command_NotCarriedOut_SaysWhyAndWhatToDo(string arguments, int code, string words)
    {
        var (actual, output, errors) = await HostProcess.RunAsync(_folder.Path, arguments);
        Assert.Multiple(() =>
        {
            Assert.That((actual, output), Is.EqualTo((code, "")));
            Assert.That(errors, Does.StartWith("furtherlink: ").And.Contain(words));
            Assert.That(errors.Split('\n'), Has.Length.EqualTo(2), "one line, no stack");
        });
    }

    [TestCase("run", "say what to run", "run")]
    [TestCase("run --keep --pause -- x", "--keep and --pause exclude each other", "run")]
    [TestCase("run --tty --no-tty -- x", "--tty and --no-tty exclude each other", "run")]
    [TestCase("run --env =x -- x", "has no name", "run")]
    [TestCase("run --escape abc -- x", "--escape \"abc\" must be", "run")]
    [TestCase("run --device tcp://x -- x", "\"tcp://x\" is no address of a device", "run")]
    [TestCase("run --fingerprint 00 -- x", "--fingerprint is of a certificate", "run")]
    [TestCase("run --device wss://x --fingerprint 00 -- x", "is no fingerprint", "run")]
    [TestCase("attach", "missing", "attach")]
    [TestCase("attach x --from -1", "--from \"-1\" must be a whole number", "attach")]
    [TestCase("logs x --from x", "--from \"x\" must be a whole number", "logs")]
    [TestCase("upload /", "say with --name what it is to be called there", "upload")]
    [TestCase("completion tcsh", "tcsh", "completion")]
    public async Task Usage_Wrong_IsReportedWithExitCode2(string arguments, string words, string command)
    {
        var (code, output, errors) = await HostProcess.RunAsync(_folder.Path, arguments);
        Assert.Multiple(() =>
        {
            Assert.That((code, output), Is.EqualTo((2, "")));
            Assert.That(errors, Does.StartWith("furtherlink: ").And.Contain(words).And.EndsWith($"See furtherlink {command} --help.\n"));
        });
    }

    [Test]
    public async Task Name_Empty_IsReportedWithExitCode2()
    {
        var (code, output, errors) = await _shell.RunAsync("furtherlink run --name '' -- true");
        Assert.That((code, output, errors), Is.EqualTo((2, "", "furtherlink: run: --name must have 1 to 200 characters\nSee furtherlink run --help.\n")));
    }

    [Test]
    public async Task Runner_OfPrograms_RunsThem()
    {
        var (code, output, errors) = await _shell.RunAsync("furtherlink run --runner program -- echo Hello");
        Assert.That((code, output, errors), Is.EqualTo((0, "Hello\n", "")));
    }

    [Test]
    public async Task Input_ClosedAtTheStart_IsAtItsEnd()
    {
        var (code, output, errors) = await _shell.RunAsync("furtherlink run -- cat <&-");
        Assert.That((code, output, errors), Is.EqualTo((0, "", "")));
    }

    [TestCase("furtherlink --help > /dev/full", "input or output failed: No space left on device")]
    [TestCase("furtherlink --help >&-", "input or output failed: standard output was closed when this command was started")]
    [TestCase("furtherlink run -- echo Hello >&-", "the output cannot be written: it was closed when this command was started")]
    [TestCase("echo '{\"type\":\"ping\"}' | furtherlink stdio --alone > /dev/full", "the output cannot be written: write: No space left on device")]
    [TestCase("furtherlink stdio --alone >&-", "stdio: standard output was closed when this command was started.")]
    public async Task Output_ThatCannotBeWritten_EndsWithAMessage(string script, string words)
    {
        var (code, output, errors) = await _shell.RunAsync(script);
        Assert.That((code, output, errors), Is.EqualTo((125, "", $"furtherlink: {words}\n")));
    }

    [Test]
    public async Task Errors_ThatCannotBeWritten_LeaveTheExitCode()
    {
        var (code, output, errors) = await _shell.RunAsync("furtherlink --bogus 2> /dev/full");
        Assert.That((code, output, errors), Is.EqualTo((2, "", "")));
    }

    [Test]
    public async Task HangUp_Ignored_StaysIgnored()
    {
        await using var command = _shell.Start("bash -c \"trap '' HUP; exec furtherlink run -- bash -c 'trap \\\"echo hung up\\\" HUP; trap \\\"exit 4\\\" TERM; echo ready; while :; do sleep 0.05; done'\"");
        await command.ReadUntilAsync("ready");
        command.Forget();
        command.Signal("HUP");
        command.Signal("TERM");
        await command.ReadToEndAsync();
        Assert.That((await command.ExitAsync(), command.Output), Is.EqualTo((4, "")));
    }
}
