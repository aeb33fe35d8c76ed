namespace FurtherLink.Tests.Host.Commands;

/// <summary>A command whose server is restarted goes on at the next byte, and says what happened.</summary>
[TestFixture]
internal sealed class ReconnectTests
{
    [Test]
    public async Task Server_Restarted_CommandGoesOnWithItsProgram()
    {
        using var folder = new TemporaryFolder();
        var shell = new CommandShell(folder);
        await using var server = await HostProcess.ServeAsync(folder.Path, "--no-tls --port 0");
        await using var command = shell.Start("furtherlink run --keep -- sh -c 'echo one; read word; echo $word; exit 7'");
        await command.ReadUntilAsync("one");
        var (code, _, errors) = await shell.RunAsync("furtherlink restart");
        Assert.That(code, Is.Zero, errors);
        await command.TypeAsync("two\n");
        await command.ReadUntilAsync("two");
        Assert.That(await command.ExitAsync(), Is.EqualTo(7));
        Assert.That(await command.ErrorsAsync(), Is.EqualTo("furtherlink: connection lost (the server has ended the connection), trying again\nfurtherlink: back\n"));
        Assert.That(command.Output, Is.EqualTo("one\ntwo"));
    }

    [TestCase("unix")]
    [TestCase("ws")]
    public async Task Server_Stopped_CommandSaysSo(string way)
    {
        using var folder = new TemporaryFolder();
        var shell = new CommandShell(folder);
        await using var server = await HostProcess.ServeAsync(folder.Path, "--no-tls --port 0");
        if (way == "ws")
            shell.Use($"ws://127.0.0.1:{server.Address.Port}");
        await using var command = shell.Start("furtherlink run --keep -- sh -c 'echo one; exec sleep 1000'");
        await command.ReadUntilAsync("one");
        server.Signal("TERM");
        Assert.That(await command.ExitAsync(), Is.EqualTo(143));
        Assert.That(await command.ErrorsAsync(), Is.EqualTo("furtherlink: the program was ended: the server is shutting down\n"));
    }

    [Test]
    public async Task Server_KilledAndStartedAgain_CommandSaysThatItsProgramIsGone()
    {
        using var folder = new TemporaryFolder();
        var shell = new CommandShell(folder);
        await using var server = await HostProcess.ServeAsync(folder.Path, "--no-tls --no-hold --port 0 --socket here.sock");
        shell.Use($"unix:{folder["here.sock"]}");
        await using var command = shell.Start("furtherlink run --keep -- sh -c 'echo one; exec sleep 1000'");
        await command.ReadUntilAsync("one");
        server.Signal("KILL");
        await server.ExitAsync();
        await using var next = await HostProcess.ServeAsync(folder.Path, "--no-tls --no-hold --port 0 --socket here.sock");
        Assert.That(await command.ExitAsync(), Is.EqualTo(125));
        Assert.That(await command.ErrorsAsync(), Does.EndWith("furtherlink: the session is not there any more: the server was restarted and its programs ended with it\n"));
    }
}
