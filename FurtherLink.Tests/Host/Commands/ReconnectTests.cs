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
        Assert.That(await command.ErrorsAsync(), Is.EqualTo("furtherlink: connection lost, trying again\nfurtherlink: back\n"));
        Assert.That(command.Output, Is.EqualTo("one\ntwo"));
    }
}
