using System.CommandLine;
using FurtherLink.Host.Commands;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Tests.Host;

[TestFixture]
internal sealed class CommandLineTests
{
    [TestCase("--help", "Serve")]
    [TestCase("-h", "Serve")]
    [TestCase("serve --help", "Serve")]
    [TestCase("connect --help", "Connect")]
    [TestCase("restart --help", "Serve, Connect")]
    [TestCase("stdio --help", "Stdio")]
    [TestCase("cert --help", "Certificate")]
    public async Task Help_Asked_ShowsEveryOptionThatConcernsTheCommand(string arguments, string use)
    {
        using var folder = new TemporaryFolder();
        var (code, output, errors) = await HostProcess.RunAsync(folder.Path, arguments);
        Assert.That(code, Is.Zero);
        Assert.That(errors, Is.Empty);
        Assert.That(output, Does.Contain("furtherlink"));
        foreach (var setting in Settings.All.Where(setting => setting.Option is not null))
        {
            var isShown = (setting.Use & Enum.Parse<SettingUse>(use)) != SettingUse.None;
            Assert.That(output, isShown ? Does.Contain($"  {setting.Option} ").And.Contain(setting.Description) : Does.Not.Contain($"  {setting.Option} "));
        }
    }

    [Test]
    public async Task Version_Asked_IsThatOfTheLibrary()
    {
        using var folder = new TemporaryFolder();
        var (code, output, _) = await HostProcess.RunAsync(folder.Path, "--version");
        Assert.That((code, output), Is.EqualTo((0, typeof(LinkOptions).Assembly.GetName().Version!.ToString(3) + "\n")));
    }

    [TestCase("--bogus", "--bogus")]
    [TestCase("bogus", "bogus")]
    [TestCase("--port", "--port")]
    [TestCase("token", "command", "furtherlink token")]
    [TestCase("token add", "name", "furtherlink token add")]
    [TestCase("token list --bogus", "--bogus", "furtherlink token list")]
    public async Task CommandLine_NotUnderstood_IsReportedWithExitCode2(string arguments, string named, string helper = "furtherlink")
    {
        using var folder = new TemporaryFolder();
        var (code, output, errors) = await HostProcess.RunAsync(folder.Path, arguments);
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(2));
            Assert.That(output, Is.Empty);
            Assert.That(errors, Does.StartWith("furtherlink: ").And.Contain(named).And.EndsWith($"See {helper} --help.\n"));
        });
    }

    [TestCase("--port abc", "Port: \"abc\"", "--port")]
    [TestCase("--address nowhere", "Address: \"nowhere\"", "--address")]
    [TestCase("--work-dir /proc/no/such", "WorkDirectory: \"/proc/no/such\"", "--work-dir")]
    [TestCase("--temp-dir /dev/null", "TempDirectory: \"/dev/null\"", "--temp-dir")]
    [TestCase("--projects-dir /dev/null", "MiniscreenProjectsDirectory: \"/dev/null\"", "--projects-dir")]
    [TestCase("--user nobody-of-that-name", "DefaultUser: \"nobody-of-that-name\"", "--user")]
    [TestCase("connect --gateway http://a.example", "Portacode:GatewayUrl: \"http://a.example\"", "--gateway")]
    [TestCase("--limit-memory 64MB", "Profiles:*:Memory: \"64MB\"", "--limit-memory")]
    [TestCase("--limit-memory 1K", "Profiles:*:Memory: \"1K\"", "--limit-memory")]
    [TestCase("--limit-cpus none", "Profiles:*:Cpus: \"none\"", "--limit-cpus")]
    [TestCase("--limit-open-files 3", "Profiles:*:OpenFiles: \"3\"", "--limit-open-files")]
    [TestCase("--limit-cpu-time 0", "Profiles:*:CpuTime: \"0\"", "--limit-cpu-time")]
    [TestCase("--limit-processes none", "Profiles:*:Processes: \"none\"", "--limit-processes")]
    [TestCase("--limit-time soon", "Profiles:*:WallTime: \"soon\"", "--limit-time")]
    [TestCase("--trusted-origin https://a.example --trusted-origin b", "TrustedOrigins: \"b\"", "--trusted-origin")]
    public async Task Option_Wrong_IsReportedWithSettingAndExitCode2(string arguments, string setting, string option)
    {
        using var folder = new TemporaryFolder();
        var (code, _, errors) = await HostProcess.RunAsync(folder.Path, arguments);
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(2));
            Assert.That(errors, Does.StartWith("furtherlink: " + setting).And.EndsWith($"(from {option}).\n"));
            Assert.That(errors.Split('\n'), Has.Length.EqualTo(2), "one line, no stack");
        });
    }

    [TestCase("list", "list")]
    [TestCase("list", "--port", "1", "list")]
    [TestCase("serve", "serve", "--port", "1")]
    [TestCase("furtherlink", "--port", "1")]
    public void Parse_OptionsBesideACommand_FindsIt(string expected, params string[] arguments)
    {
        var result = FurtherLinkCommand.Parse(arguments);
        Assert.That(result.Errors, Is.Empty);
        Assert.That(result.CommandResult.Command is RootCommand ? "furtherlink" : result.CommandResult.Command.Name, Is.EqualTo(expected));
    }

    [TestCase]
    [TestCase("serve")]
    [TestCase("--port", "1")]
    public void Parse_ToServe_MakesNoOtherCommand(params string[] arguments) =>
        Assert.That(FurtherLinkCommand.Parse(arguments).RootCommandResult.Command.Subcommands, Has.Count.EqualTo(1));

    [TestCase("--help")]
    [TestCase("--port", "1", "--help")]
    public void Parse_Help_KnowsAllCommands(params string[] arguments) =>
        Assert.That(FurtherLinkCommand.Parse(arguments).RootCommandResult.Command.Subcommands.Select(static command => command.Name), Contains.Item("upload").And.Contains("token"));
}
