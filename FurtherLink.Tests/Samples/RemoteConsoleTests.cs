using System.Diagnostics;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;
using FurtherLink.Tests.Client;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Samples;

/// <summary>The sample remote-console on a terminal of its own, used as by a person.</summary>
[TestFixture]
internal sealed class RemoteConsoleTests
{
    private ClientRig _rig = null!;
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp()
    {
        _rig = new ClientRig();
        _folder = new TemporaryFolder();
    }

    [TearDown]
    public async Task TearDownAsync()
    {
        await _rig.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Keys_Size_ExitCode_AreThoseOfTheProgram()
    {
        await using var console = await StartAsync("exec:furtherlink stdio --alone");
        await console.SendLineAsync("PS1='there''> '");
        await console.ExpectAsync("\nthere> ");
        await console.SendLineAsync("stty size");
        await console.ExpectAsync("\n24 80\nthere> ");
        await console.ResizeAsync(new TerminalSize(40, 100));
        await SeeSizeAsync(console, "40 100");
        await console.SendLineAsync("sh -c 'echo in front; exec sleep 1000'");
        await console.ExpectAsync("\nin front\n");
        await console.SendKeysAsync(Ctrl.C);
        await console.ExpectAsync("there> ");
        await console.SendLineAsync("exit 7");
        Assert.That((await console.ExpectEndAsync()).Exit.Code, Is.EqualTo(7));
    }

    [Test]
    public async Task Connection_Lost_IsShownAndOpenedAgain()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--no-tls --port 0");
        await using var console = await StartAsync($"exec:echo $$ >> {_folder["ways"]}; exec furtherlink stdio");
        await console.SendLineAsync("PS1='there''> '; word=kept");
        await console.ExpectAsync("\nthere> ");
        var way = int.Parse(await File.ReadAllTextAsync(_folder["ways"]));
        using (var process = Process.GetProcessById(way))
            process.Kill();
        await console.ExpectAsync("\n[connection lost, trying again]");
        await console.SendLineAsync("echo \"<$word>\"");
        await console.ExpectScreenAsync(screen => screen.Contains("[connected again]") && screen.Contains("<kept>"));
        // Before its prompt bash does not listen, and takes a Ctrl-D for nothing.
        await console.ExpectAsync("<kept>\nthere> ");
        await console.SendKeysAsync(Ctrl.D);
        Assert.That((await console.ExpectEndAsync()).Exit.Code, Is.Zero);
    }

    [Test]
    public async Task Address_OfNoDevice_IsRefused()
    {
        await using var console = await StartAsync("nowhere");
        var end = await console.ExpectEndAsync();
        Assert.That((end.Exit.Code, end.Text), Is.EqualTo((255, "remote-console: \"nowhere\" is no address of a device: ws://HOST:PORT, wss://HOST:PORT, unix:PATH or exec:COMMAND\n")));
    }

    // Nothing says when a window's new size has arrived.
    private static async Task SeeSizeAsync(ConsoleSession console, string size)
    {
        ExpectMatch answer;
        do
        {
            await console.SendLineAsync("stty size | sed 's/.*/[&]/'");
            answer = await console.ExpectAsync(["[24 80]\n", $"[{size}]\n"]);
        }
        while (answer.Index == 0);
    }

    private Task<ConsoleSession> StartAsync(string address) => _rig.Client.StartConsoleAsync(
        new RunRequest("program")
        {
            Arguments = [.. SampleTests.Command("remote-console"), address, "bash", "--norc"],
            Path = _folder.Path,
            Environment = new Dictionary<string, string?>
            {
                ["XDG_STATE_HOME"] = _folder["state"],
                ["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:{AppContext.BaseDirectory}",
            },
        },
        new ConsoleOptions { Timeout = Patience.Long });
}
