using FurtherLink.Host.Configuration;

namespace FurtherLink.Tests.Host;

[TestFixture]
internal sealed class SettingsCheckTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [TestCase("Port", "abc")]
    [TestCase("Port", "-1")]
    [TestCase("Port", "65536")]
    [TestCase("Address", "example.org")]
    [TestCase("NoTls", "perhaps")]
    [TestCase("Debug", "perhaps")]
    [TestCase("StopGrace", "soon")]
    [TestCase("StopGrace", "-00:00:01")]
    [TestCase("StopGrace", "30")]
    [TestCase("StopGrace", "00:30")]
    [TestCase("StopGrace", "00:00:60")]
    [TestCase("StopGrace", "30:00:00:00")]
    [TestCase("KeepExited", "24:00:00")]
    [TestCase("KeepExited", "99999999.00:00:00")]
    [TestCase("OutputCapacity", "4095")]
    [TestCase("MaxMessage", "10")]
    [TestCase("MaxUpload", "0")]
    [TestCase("WorkDirectory", "/proc/no/such")]
    [TestCase("TempDirectory", "/dev/null")]
    [TestCase("TempDirectory", "/dev/null/x")]
    [TestCase("DefaultUser", "no such user")]
    [TestCase("Compression", "1")]
    [TestCase("KeepAliveInterval", "00:00:00")]
    [TestCase("LegacyOpen", "yes")]
    [TestCase("LoopbackAccess", "sometimes")]
    [TestCase("LoginLifetime", "00:00:00")]
    [TestCase("AllowedHosts", "example.org:80")]
    [TestCase("AllowedHosts", "*.example.org")]
    [TestCase("AllowedOrigins", "example.org")]
    [TestCase("TrustedOrigins", "example.org")]
    [TestCase("TrustedOrigins", "https://example.org/")]
    [TestCase("TrustedOrigins", "https://example.org/page")]
    [TestCase("TrustedOrigins", "https://*.example.org")]
    [TestCase("TrustedOrigins", "ftp://example.org")]
    [TestCase("TrustedOrigins", "null")]
    [TestCase("Portacode:GatewayUrl", "https://example.org")]
    [TestCase("Portacode:GatewayUrl", "example.org")]
    [TestCase("Portacode:OnRejected", "Panic")]
    [TestCase("Portacode:MinBackoff", "00:00:00")]
    [TestCase("Portacode:MaxBackoff", "01:00:01")]
    [TestCase("Portacode:MaxMessage", "65535")]
    [TestCase("Portacode:TerminalBytesPerSecond", "999")]
    [TestCase("Portacode:Bandwidth:*", "fast")]
    public void Value_Wrong_IsReportedWithNameAndOrigin(string name, string text)
    {
        Assert.That(Mistakes(new Dictionary<string, string> { ["FurtherLink__" + name.Replace(":", "__", StringComparison.Ordinal)] = text }), Has.Length.EqualTo(1)
            .And.All.StartsWith($"{name}: \"{text}\" ").And.All.EndsWith($"(from FurtherLink__{name.Replace(":", "__", StringComparison.Ordinal)})."));
    }

    [TestCase("Port", "0")]
    [TestCase("Port", "65535")]
    [TestCase("Address", "loopback")]
    [TestCase("Address", "any")]
    [TestCase("Address", "127.0.0.1, ::1")]
    [TestCase("NoTls", "1")]
    [TestCase("NoTls", "False")]
    [TestCase("StopGrace", "00:00:02.5")]
    [TestCase("StopGrace", "0:0:2")]
    [TestCase("StopGrace", "0")]
    [TestCase("KeepExited", "1.00:00:00")]
    [TestCase("KeepExited", "23:59:59")]
    [TestCase("OutputCapacity", "4096")]
    [TestCase("WorkDirectory", "/tmp/not/there/yet")]
    [TestCase("DefaultUser", "root")]
    [TestCase("TrustedOrigins", "https://example.org,http://localhost:3000")]
    [TestCase("Portacode:GatewayUrl", "wss://example.org/gateway?token=1")]
    [TestCase("Portacode:OnRejected", "retry")]
    [TestCase("Portacode:Bandwidth:somebody", "100000")]
    public void Value_Right_IsTaken(string name, string text)
    {
        Assert.That(Mistakes(new Dictionary<string, string> { ["FurtherLink__" + name.Replace(":", "__", StringComparison.Ordinal)] = text }), Is.Empty);
    }

    [Test]
    public void Directory_Checked_IsLeftAsItWas()
    {
        Assert.That(Mistakes(new Dictionary<string, string> { ["FURTHER_LINK_WORK_DIR"] = _folder["new/one"] }), Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(_folder.Path), Is.Empty);
    }

    [Test]
    public void Mistakes_Several_AreAllReported()
    {
        var mistakes = Mistakes(new Dictionary<string, string> { ["FURTHER_LINK_PORT"] = "x", ["FurtherLink__Prot"] = "1", ["FurtherLink__Whatever"] = "1", ["FurtherLink__Portacode__Gateway"] = "1" });
        Assert.That(mistakes, Is.EquivalentTo(new[]
        {
            "Port: \"x\" must be a whole number from 0 to 65535 (from FURTHER_LINK_PORT).",
            "Prot: there is no such setting; did you mean Port? (from FurtherLink__Prot).",
            "Whatever: there is no such setting (from FurtherLink__Whatever).",
            "Portacode:Gateway: there is no such setting (from FurtherLink__Portacode__Gateway).",
        }));
    }

    [Test]
    public void Runner_WithoutCommand_IsReported()
    {
        var path = _folder.Write("appsettings.json", """{"FurtherLink":{"Runners":{"node":{"Extension":"js","Comand":"node {file}"}}}}""");
        Assert.That(Mistakes([]), Is.EqualTo(new[]
        {
            $"Runners:node:Command: is missing; give the command line, with {{file}} where the program's file goes (from {path}).",
            $"Runners:node:Comand: there is no such setting; a runner has Command, Extension, Environment (from {path}).",
            $"Runners:node:Extension: \"js\" must begin with a dot, as in .js (from {path}).",
        }));
    }

    [TestCase("node \\\"{file}", false)]
    [TestCase("node '{file}", false)]
    [TestCase("node \\\"it's\\\" {file}", true)]
    public void Runner_WithAQuoteThatIsNotClosed_IsReported(string command, bool right)
    {
        _folder.Write("appsettings.json", "{\"FurtherLink\":{\"Runners\":{\"node\":{\"Command\":\"" + command + "\"}}}}");
        Assert.That(Mistakes([]), right ? Is.Empty : Has.One.StartsWith("Runners:node:Command: a quote is not closed"));
    }

    [Test]
    public void Runner_Right_IsTaken()
    {
        _folder.Write("appsettings.json", """{"FurtherLink":{"Runners":{"node":{"Command":"node {file}","Extension":".js","Environment":{"NODE_ENV":"test"}}}}}""");
        Assert.That(Mistakes([]), Is.Empty);
    }

    [Test]
    public void Profile_Wrong_IsReported()
    {
        var path = _folder.Write(
            "appsettings.json", """{"FurtherLink":{"Profiles":{"python3":{"Memory":"64 MB","Cpus":0,"OpenFiles":3,"CpuTime":"00:00:00.5","WallTime":"0","Sandbox":"yes","Memroy":1},"*":{"Processes":0},"shell":{"Memory":"1000K"}}}}""");
        Assert.That(Mistakes([]), Is.EquivalentTo(new[]
        {
            $"Profiles:*:Processes: \"0\" must be a whole number of at least 1 (from {path}).",
            $"Profiles:python3:Memory: \"64 MB\" must be a whole number of at least 1048576 bytes, or one with K, M, G or T behind, such as 64M or 64MiB (from {path}).",
            $"Profiles:shell:Memory: \"1000K\" must be a whole number of at least 1048576 bytes, or one with K, M, G or T behind, such as 64M or 64MiB (from {path}).",
            $"Profiles:python3:Cpus: \"0\" must be a number from 0.01 to 100000, such as 0.5 or 2 (from {path}).",
            $"Profiles:python3:OpenFiles: \"3\" must be a whole number of at least 16 (from {path}).",
            $"Profiles:python3:CpuTime: \"00:00:00.5\" must be at least 00:00:01 (from {path}).",
            $"Profiles:python3:WallTime: \"0\" must be more than nothing (from {path}).",
            $"Profiles:python3:Sandbox: \"yes\" must be true or false (from {path}).",
            $"Profiles:python3:Memroy: \"1\" is no setting of a profile, which has CpuTime, Cpus, Memory, Network, OpenFiles, Processes, Sandbox, WallTime (from {path}).",
        }));
    }

    [Test]
    public void Profile_Right_IsTaken()
    {
        _folder.Write("appsettings.json", """{"FurtherLink":{"Profiles":{"python3":{"Memory":67108864,"CpuTime":"00:00:10","Cpus":0.5,"OpenFiles":64,"Processes":20,"WallTime":"00:10:00","Sandbox":true,"Network":true}}}}""");
        Assert.That(Mistakes([]), Is.Empty);
    }

    private string[] Mistakes(Dictionary<string, string> variables)
    {
        using var configuration = HostConfiguration.Load(new Dictionary<string, string>(), variables, _folder.Path);
        try
        {
            SettingsCheck.Run(configuration);
            return [];
        }
        catch (SettingException exception)
        {
            return [.. exception.Mistakes];
        }
    }
}
