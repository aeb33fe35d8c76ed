using FurtherLink.Tests.Host.Commands;

namespace FurtherLink.Tests.Host;

/// <summary>Limits that are given to the executable hold for its programs.</summary>
[TestFixture]
internal sealed class ProfileOptionTests
{
    // Bytes in the program's control group, where it has one, else KiB of address space.
    private const string Memory = "cat /sys/fs/cgroup$(sed -n s,^0::,,p /proc/self/cgroup)/memory.max 2>/dev/null || ulimit -v";

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [TestCase("--limit-memory 268435456", Memory, "262144|268435456")]
    [TestCase("--limit-memory 256MiB", Memory, "262144|268435456")]
    [TestCase("--limit-open-files 99", "ulimit -n", "99")]
    [TestCase("--limit-cpu-time 00:01:00", "ulimit -t", "60")]
    [TestCase("--limit-time 00:00:01", "sleep 1000", "furtherlink: the program was ended: over its time limit (1 s)")]
    [TestCase("--sandbox", "ls -A /home; (: >/etc/fl-test) 2>/dev/null || echo apart", "apart")]
    [TestCase("", "ulimit -v", "unlimited")]
    public async Task Option_OfALimit_HoldsForPrograms(string options, string script, string expected)
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, $"--no-tls --port 0 {options}");
        var shell = new CommandShell(_folder);
        var (_, output, errors) = await shell.RunAsync($"furtherlink run --device {host.Address.AbsoluteUri.Replace("http", "ws", StringComparison.Ordinal)} -- bash -c '{script}'");
        Assert.That((output + errors).TrimEnd(), Is.AnyOf(expected.Split('|')));
    }

    [Test]
    public async Task Option_OfProcesses_HoldsOrIsRefused()
    {
        await using var host = await HostProcess.ServeAsync(_folder.Path, "--no-tls --port 0 --limit-processes 77");
        var shell = new CommandShell(_folder);
        var (_, output, errors) = await shell.RunAsync($"furtherlink run --device {host.Address.AbsoluteUri.Replace("http", "ws", StringComparison.Ordinal)} -- bash -c 'ulimit -u; cat /proc/self/cgroup'");
        Assert.That(output + errors, Does.StartWith("77\n").Or.Contains("another user").Or.Contains("furtherlink-program-"));
    }

    [Test]
    public async Task Option_OfCpus_HoldsOrKeepsTheHostFromStarting()
    {
        await using var host = HostProcess.Start(_folder.Path, "--no-tls --port 0 --limit-cpus 0.5");
        await host.ReadToAnyAsync("Ctrl-C");
        if (!host.Output.Contains("Ctrl-C", StringComparison.Ordinal))
        {
            Assert.That(await host.ExitAsync(), Is.EqualTo(2));
            Assert.That((await host.ErrorsAsync()).TrimEnd().Split('\n')[^1], Does.StartWith("furtherlink: Profiles:*:Cpus: only control groups of version 2 hold programs to a share of the processors, and here programs get none: "));
            return;
        }

        var shell = new CommandShell(_folder);
        var (_, output, errors) = await shell.RunAsync($"furtherlink run --device {host.Address.AbsoluteUri.Replace("http", "ws", StringComparison.Ordinal)} -- sh -c 'cat /sys/fs/cgroup$(sed -n s,^0::,,p /proc/self/cgroup)/cpu.max'");
        Assert.That(output, Is.EqualTo("50000 100000\n"), errors);
    }

    [Test]
    public async Task Profile_OfNoRunner_KeepsTheHostFromStarting()
    {
        _folder.Write("appsettings.json", """{"FurtherLink":{"Profiles":{"pyton3":{"WallTime":"00:10:00"}}}}""");
        var (code, _, errors) = await HostProcess.RunAsync(_folder.Path, "--no-tls --port 0");
        Assert.That(code, Is.EqualTo(2));
        Assert.That(errors, Does.StartWith("furtherlink: Profiles:pyton3: there is no such runner; there are exec, ").And.No.Contain("Exception"));
    }
}
