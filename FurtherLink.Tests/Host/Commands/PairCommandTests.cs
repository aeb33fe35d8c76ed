namespace FurtherLink.Tests.Host.Commands;

/// <summary>A device shows a code, and another machine that is given it is let in from then on.</summary>
[TestFixture]
internal sealed class PairCommandTests
{
    private TemporaryFolder _device = null!;
    private TemporaryFolder _laptop = null!;

    [SetUp]
    public void SetUp()
    {
        _device = new TemporaryFolder();
        _laptop = new TemporaryFolder();
    }

    [TearDown]
    public void TearDown()
    {
        _device.Dispose();
        _laptop.Dispose();
    }

    [Test]
    public async Task Pair_OnBothSides_LetsLaterCommandsIn()
    {
        var closed = new Dictionary<string, string?> { ["FurtherLink__LoopbackAccess"] = "false" };
        await using var host = await HostProcess.ServeAsync(_device.Path, "serve --port 0", closed);
        var address = $"wss://127.0.0.1:{host.Address.Port}";
        await using var shown = HostProcess.Start(_device.Path, $"pair --port {host.Address.Port} --role own");
        await shown.ReadUntilAsync("Waiting");
        var lines = shown.Output.Split('\n');
        var code = lines[0].Split(' ')[1].TrimEnd(',');
        var typed = lines.Single(line => line.StartsWith("  furtherlink pair --to ", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..];
        Assert.That(typed[2], Is.EqualTo($"wss://{Environment.MachineName}:{host.Address.Port}"));
        // This machine's name leads to itself in no sure way.
        typed[2] = address;

        var laptop = new CommandShell(_laptop);
        laptop.Variables["XDG_STATE_HOME"] = _laptop["state"];
        var (code1, _, errors1) = await laptop.RunAsync($"echo 0000 | furtherlink {string.Join(' ', typed)} --name laptop");
        Assert.That((code1, errors1), Is.EqualTo((125, "furtherlink: this code counts for nothing here: it is wrong or used, or its time is over; \"furtherlink pair\" on the device shows a new one\n")));
        var (code2, output, errors) = await laptop.RunAsync($"echo {code} | furtherlink {string.Join(' ', typed)} --name laptop");
        Assert.That((code2, errors), Is.EqualTo((0, "")));
        Assert.That(output, Does.StartWith($"Paired as \"laptop\", to own. The token is kept in {_laptop["state/furtherlink/devices.json"]}.\n"));
        Assert.That(File.GetUnixFileMode(_laptop["state/furtherlink/devices.json"]), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));

        await shown.ReadUntilAsync("Paired with \"laptop\"");
        Assert.That(await shown.ExitAsync(), Is.Zero);
        var run = await laptop.RunAsync($"furtherlink run --device {address} -- echo in");
        Assert.That(run, Is.EqualTo((0, "in\n", "")));
        Assert.That((await HostProcess.RunAsync(_device.Path, "token revoke laptop")).Code, Is.Zero);
        var after = await laptop.RunAsync($"furtherlink list --device {address}");
        Assert.That((after.Code, after.Errors), Is.EqualTo((125, $"furtherlink: {address}/run does not let this client in: this token counts for nothing here: it is wrong, revoked or expired\n")));
    }

    [TestCase("pair", 125, "no server runs on this machine")]
    [TestCase("pair --to pi:8028", 2, "is no address of a device")]
    [TestCase("pair --name laptop", 2, "which --to names")]
    [TestCase("pair --to wss://127.0.0.1:9 --role own", 2, "--role is for the device that shows the code")]
    [TestCase("pair --to ws://192.0.2.1:9", 125, "must begin with wss://")]
    [TestCase("pair --to ws://127.0.0.1:9", 2, "no code was given")]
    public async Task Pair_ThatCannotBe_SaysWhy(string arguments, int code, string why)
    {
        var input = arguments.Contains("192", StringComparison.Ordinal) ? "echo 1234-5678" : "true";
        var (exit, output, errors) = await new CommandShell(_laptop).RunAsync($"{input} | furtherlink {arguments}");
        Assert.That((exit, output), Is.EqualTo((code, "")), errors);
        Assert.That(errors, Does.Contain(why));
    }
}
