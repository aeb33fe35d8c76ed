using System.Runtime.Versioning;
using FurtherLink.Processes.Children;

namespace FurtherLink.Tests.Processes;

[SupportedOSPlatform("linux")]
public sealed class ProcFsTests
{
    private ProgramRig _rig = null!;

    [SetUp]
    public void SetUp() => _rig = new ProgramRig();

    [TearDown]
    public async Task TearDown() => await _rig.DisposeAsync();

    [Test]
    public async Task ChildrenOf_ProgramWithChildren_IsTheSameBothWays()
    {
        var program = await _rig.BashAsync("sleep 1000 & echo $!; sleep 1000 & echo $!; sleep 1000 & echo $!; echo ready; read line");
        await program.SeeAsync("ready");
        var expected = program.Text.Split('\n')[..3].Select(int.Parse).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(ProcFs.ChildrenOf(program.Process.Id), Is.EquivalentTo(expected));
            Assert.That(ProcFs.SearchChildrenOf(program.Process.Id), Is.EquivalentTo(expected));
        });
    }

    [Test]
    public async Task Read_NameWithParenthesesAndSpaces_IsReadAllTheSame()
    {
        var program = await _rig.PythonAsync(
            """
            import os, sys
            open('/proc/self/comm', 'w').write('a) R 1 2 (b')
            print('ready', os.getppid(), flush=True)
            sys.stdin.read()
            """);
        await program.SeeAsync("ready");
        var entry = ProcFs.Read(program.Process.Id)!.Value;
        Assert.That((entry.Group, entry.Parent, entry.IsEnded), Is.EqualTo((program.Process.Id, Environment.ProcessId, false)));
    }

    [Test]
    public void Read_NoSuchProcess_IsNull() => Assert.That(ProcFs.Read(int.MaxValue), Is.Null);

    [TestCase("FURTHER_LINK_SESSION", true)]
    [TestCase("LINK_SESSION", false)]
    public async Task HasVariable_Environment_MustMatchAsAWhole(string name, bool expected)
    {
        var program = await _rig.BashAsync("echo ready; read line");
        await program.SeeAsync("ready");
        Assert.Multiple(() =>
        {
            Assert.That(ProcFs.HasVariable(program.Process.Id, $"{name}={program.SessionId}"), Is.EqualTo(expected));
            Assert.That(ProcFs.HasVariable(program.Process.Id, $"{name}={program.SessionId}0"), Is.False);
            Assert.That(ProcFs.HasVariable(program.Process.Id, $"{name}={program.SessionId[..^1]}"), Is.False);
        });
    }
}
