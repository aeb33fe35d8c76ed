using System.Text.Json.Nodes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host.Commands;

/// <summary>The commands about sessions that outlive them, against a server.</summary>
[TestFixture]
internal sealed class SessionCommandsTests
{
    private TemporaryFolder _folder = null!;
    private CommandShell _shell = null!;
    private HostProcess _server = null!;

    [OneTimeSetUp]
    public async Task OneTimeSetUpAsync()
    {
        _folder = new TemporaryFolder();
        _shell = new CommandShell(_folder);
        _server = await HostProcess.ServeAsync(_folder.Path, $"--no-tls --port 0 --work-dir {_folder["further"]}");
        _shell.Use($"ws://127.0.0.1:{_server.Address.Port}");
    }

    [OneTimeTearDown]
    public async Task OneTimeTearDownAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Session_Detached_IsListedReadStoppedAndReadAgain()
    {
        var (code, id, _) = await _shell.RunAsync("furtherlink run --detach --name one -- sh -c 'echo first; echo second >&2; exec sleep 1000'");
        Assert.That((code, id), Is.EqualTo((0, id.Trim() + "\n")));
        await ExpectAsync("furtherlink logs one 2>&1 | sort | tail -2", "first\nsecond\n", retry: true);
        await ExpectAsync("furtherlink logs one 2>&1 --from 3 | wc -c", "10\n");
        await ExpectAsync("furtherlink logs one --from 1000", "");
        var (_, table, _) = await _shell.RunAsync("furtherlink list");
        Assert.That(table, Does.Match($"(?m)^{id.Trim()}  one .*program .*running +0$"));
        var (_, json, _) = await _shell.RunAsync("furtherlink list --json");
        Assert.That(JsonNode.Parse(json)!.AsArray().Single(session => (string?)session!["name"] == "one")!["running"]!.GetValue<bool>(), Is.True);

        await ExpectAsync("furtherlink stop one", "");
        await ExpectAsync("furtherlink logs --follow one 2>/dev/null; echo =$?=", "first\n=143=\n");
        var (_, ended, _) = await _shell.RunAsync("furtherlink list");
        Assert.That(ended, Does.Match($"(?m)^{id.Trim()}  one .*signal 15 +0$"));
    }

    [Test]
    public async Task Session_FollowedAndAttached_IsSeenUntilItsEndByBoth()
    {
        await ExpectAsync("furtherlink run --detach --pause --name sum -- sh -c 'read a; echo got $a; read b; echo $((a+b)); exit 6' > /dev/null", "");
        await using var follower = _shell.Start("furtherlink logs -f sum");
        await using (var leaving = _shell.Start("furtherlink attach sum"))
        {
            await leaving.TypeAsync("40\n");
            await leaving.ReadUntilAsync("got 40");
            leaving.Signal("TERM");
            Assert.That(await leaving.ExitAsync(), Is.EqualTo(143));
        }

        await using var staying = _shell.Start("furtherlink attach sum");
        await staying.TypeAsync("2\n");
        await staying.ReadToEndAsync();
        await follower.ReadToEndAsync();
        Assert.That((await staying.ExitAsync(), staying.Output), Is.EqualTo((6, "got 40\n42")));
        Assert.That((await follower.ExitAsync(), follower.Output), Is.EqualTo((6, "got 40\n42")));
    }

    [Test]
    public async Task Session_Viewed_GetsNothingThatIsTyped()
    {
        await ExpectAsync("furtherlink run --detach --name watched -- sh -c 'echo ready; read line; echo \"got $line\"' > /dev/null", "");
        await using var viewer = _shell.Start("furtherlink attach --view watched");
        await viewer.TypeAsync("wrong\n");
        await viewer.ReadUntilAsync("ready");
        await ExpectAsync("echo right | furtherlink attach watched", "ready\ngot right\n");
        await viewer.ReadUntilAsync("got right");
        Assert.That(await viewer.ExitAsync(), Is.Zero);
    }

    [Test]
    public async Task Sessions_NotThere_AreNamedAndTheOthersStopped()
    {
        await ExpectAsync("furtherlink run --detach --name there -- sleep 1000 > /dev/null", "");
        var (code, output, errors) = await _shell.RunAsync("furtherlink stop nowhere there");
        Assert.That((code, output), Is.EqualTo((125, "")));
        Assert.That(errors, Does.StartWith("furtherlink: nowhere: ").And.Not.Contain("furtherlink: there:"));
        await ExpectAsync("furtherlink logs -f there; echo =$?=", "=143=\n");
        var attached = await _shell.RunAsync("furtherlink attach nowhere");
        Assert.That((attached.Code, attached.Errors), Is.EqualTo((125, "furtherlink: there is no session \"nowhere\" on this device; \"furtherlink list\" shows those there are.\n")));
    }

    [Test]
    public async Task Log_ThatCannotBeWritten_EndsWithTheReason_WhileTheProgramGoesOn()
    {
        await ExpectAsync("furtherlink run --detach --name full -- sh -c 'echo first; exec sleep 1000' > /dev/null", "");
        var (code, _, errors) = await _shell.RunAsync("furtherlink logs --follow full > /dev/full; exit $?");
        Assert.That((code, errors), Is.EqualTo((125, "furtherlink: the output cannot be written: write: No space left on device\n")));
        await ExpectAsync("furtherlink stop full", "");
    }

    [Test]
    public async Task Program_OfThisCommand_EndsWithIt()
    {
        await using (var command = _shell.Start("furtherlink run --name mine -- sh -c 'echo ready; exec sleep 1000'"))
        {
            await command.ReadUntilAsync("ready");
            command.Signal("TERM");
            Assert.That(await command.ExitAsync(), Is.EqualTo(143));
        }

        await ExpectAsync("furtherlink logs -f mine; echo =$?=", "ready\n=143=\n");
    }

    [Test]
    public async Task Program_ToBeKept_OutlivesItsCommand()
    {
        await using (var command = _shell.Start("furtherlink run --name kept --keep -- sh -c 'trap \"\" INT; echo ready; exec sleep 1000'"))
        {
            await command.ReadUntilAsync("ready");
            command.Signal("KILL");
            await command.ExitAsync();
        }

        await ExpectAsync("furtherlink logs kept", "ready\n");
        await ExpectAsync("furtherlink stop kept", "");
    }

    [Test]
    public async Task Directory_Uploaded_StandsWhereProgramsRun()
    {
        _folder.Write("things/a.py", "print('from a')");
        _folder.Write("things/deep/b.txt", "b\n");
        var (code, output, errors) = await _shell.RunAsync("furtherlink upload things/");
        Assert.That((code, output), Is.EqualTo((0, "")));
        Assert.That(errors, Does.EndWith("/s\n").And.Contain("furtherlink: 2 files, 17 B, "));
        await ExpectAsync("furtherlink upload things --name other/name --quiet; furtherlink run --directory $PWD -- sh -c 'cat further/things/deep/b.txt; python3 further/other/name/a.py'", "b\nfrom a\n");
        var (missing, _, why) = await _shell.RunAsync("furtherlink upload no-such-directory");
        Assert.That((missing, why), Is.EqualTo((2, "furtherlink: upload: there is no directory no-such-directory here\nSee furtherlink upload --help.\n")));
        var (refused, _, refusal) = await _shell.RunAsync("furtherlink upload things --name ../outside");
        Assert.That((refused, refusal.Split('\n').Length), Is.EqualTo((125, 2)), refusal);
    }

    [Test]
    public async Task Terminal_Attached_ShowsItsScreenTypesAndIsLeftByKeys()
    {
        await using var host = new TestHost();
        await using var terminal = await TerminalShell.StartAsync(host, _folder, _shell.Variables);
        await terminal.CommandAsync("furtherlink run --name screen --keep --escape ^q -- sh -c 'printf \"\\\\033[2J\\\\033[5;5Hpic\"\"ture\"; read line; echo \"[$line]\"; exec sleep 1000'");
        await terminal.SeeAsync("picture");
        await terminal.TypeAsync("\u0011");
        await terminal.SeeAsync("left; it goes on: furtherlink attach screen");
        await terminal.CommandAsync("furtherlink attach screen");
        await terminal.SeeAsync("~. leaves it");
        await terminal.SeeAsync("picture");
        await terminal.TypeAsync("hello\r");
        await terminal.SeeAsync("[hello]");
        await terminal.TypeAsync("\r~.");
        await terminal.SeeAsync("left; it goes on");
        await terminal.CommandAsync("furtherlink stop screen; echo sto\"\"pped");
        await terminal.SeeAsync("stopped");
    }

    [Test]
    public async Task Output_OfAServersCommand_ThatCannotBeWritten_EndsWithAMessage()
    {
        var list = await _shell.RunAsync("furtherlink list > /dev/full");
        Assert.That(list, Is.EqualTo((125, "", "furtherlink: input or output failed: No space left on device\n")));
        var relay = await _shell.RunAsync("echo '{\"type\":\"ping\"}' | XDG_STATE_HOME=$PWD/state furtherlink stdio > /dev/full");
        Assert.That(relay, Is.EqualTo((125, "", "furtherlink: the output cannot be written: write: No space left on device\n")));
    }

    [Test]
    public async Task Server_WithoutTls_IsSaidToHaveNone()
    {
        var (code, _, errors) = await _shell.RunAsync($"furtherlink list --device wss://127.0.0.1:{_server.Address.Port}");
        Assert.That(code, Is.EqualTo(125));
        Assert.That(errors, Does.Contain("it does not speak TLS there, or not as this does; a server without TLS is reached by ws://"));
    }

    [Test]
    public async Task Terminal_Viewed_IsLeftByCtrlC()
    {
        await ExpectAsync("furtherlink run --detach --tty --name shown -- sh -c 'printf pic; printf ture; exec sleep 1000' > /dev/null", "");
        await using var host = new TestHost();
        await using var terminal = await TerminalShell.StartAsync(host, _folder, _shell.Variables);
        await terminal.CommandAsync("furtherlink attach --view shown; echo \"=$?=\"");
        await terminal.SeeAsync("Ctrl-C or ~. leaves it");
        await terminal.SeeAsync("picture");
        await terminal.TypeAsync("\u0003");
        await terminal.SeeAsync("left; it goes on: furtherlink attach shown");
        await terminal.SeeAsync("=0=");
        await ExpectAsync("furtherlink stop shown", "");
    }

    [Test]
    public async Task Terminal_ThatAnotherDrives_SaysThatNothingIsSent()
    {
        await using var driver = _shell.Start("furtherlink run --keep --tty --name driven -- sh -c 'stty -echo; echo ready; read line; echo \"[$line]\"; exec sleep 1000'");
        await driver.ReadUntilAsync("ready");
        await using var host = new TestHost();
        await using var terminal = await TerminalShell.StartAsync(host, _folder, _shell.Variables);
        await terminal.CommandAsync("furtherlink attach driven");
        await terminal.SeeAsync("another client drives this session: what you type is not sent until it leaves or hands over");
        await terminal.TypeAsync("lost\r");
        await terminal.SeeAsync("\a");
        driver.Signal("KILL");
        await terminal.SeeAsync("now you drive this session");
        await terminal.TypeAsync("kept\r");
        Assert.That(await terminal.SeeAsync("[kept]"), Does.Not.Contain("lost"));
        await terminal.TypeAsync("\r~.");
        await terminal.SeeAsync("left; it goes on");
        await ExpectAsync("furtherlink stop driven", "");
    }

    [Test]
    public async Task Input_PipedInWhileAnotherDrives_WaitsForItsTurn()
    {
        await using var driver = _shell.Start("furtherlink run --keep --name queue -- sh -c 'echo ready; read line; echo \"got $line\"'");
        await driver.ReadUntilAsync("ready");
        await using var next = _shell.Start("furtherlink attach queue");
        await next.TypeAsync("mine\n");
        await next.ReadUntilAsync("ready");
        driver.Signal("KILL");
        await next.ReadUntilAsync("got mine");
        Assert.That(await next.ExitAsync(), Is.Zero);
        Assert.That(await next.ErrorsAsync(), Is.EqualTo("furtherlink: another client drives this session: standard input waits until it leaves or hands over\nfurtherlink: now you drive this session\n"));
    }

    [Test]
    public async Task Terminal_LeftWhileItsProgramPrints_StaysReset()
    {
        await ExpectAsync("furtherlink run --detach --tty --name flood -- sh -c 'while :; do printf \"\\033[?1049hflood\"; done' > /dev/null", "");
        await using var host = new TestHost();
        await using var terminal = await TerminalShell.StartAsync(host, _folder, _shell.Variables);
        await terminal.CommandAsync("furtherlink attach flood");
        await terminal.SeeAsync("flood");
        await terminal.TypeAsync("\r~.");
        await terminal.SeeAsync("\e[!p\e[0m\r\n");
        Assert.That(await terminal.SeeAsync("left; it goes on"), Does.Not.Contain("flood"));
        await ExpectAsync("furtherlink stop flood", "");
    }

    [Test]
    public async Task Words_Completed_AreCommandsOptionsSessionsAndFiles()
    {
        await ExpectAsync("furtherlink run --detach --name completed -- sleep 1000 > /dev/null", "");
        _folder.Write("comp.py", "");
        const string Complete = "source <(furtherlink completion bash); try() { COMP_WORDS=(furtherlink \"$@\"); COMP_CWORD=$#; _furtherlink; echo \"${COMPREPLY[@]}\"; }; ";
        await ExpectAsync(Complete + "try at; try run --no; try stop comp; try run comp; try completion ''; try run -- comp", "attach\n--no-tty\ncompleted\ncomp.py\nbash fish zsh\ncomp.py\n");
        await ExpectAsync("FURTHERLINK_DEVICE=unix:/no/such; " + Complete + "try stop compl", "\n");
        await ExpectAsync("furtherlink stop completed", "");
    }

    private async Task ExpectAsync(string script, string output, bool retry = false)
    {
        var result = await _shell.RunAsync(script);
        for (var tries = 0; retry && result.Output != output && tries < 20; tries++)
            result = await _shell.RunAsync(script);
        Assert.That((result.Output, result.Errors), Is.EqualTo((output, "")), script);
    }
}
