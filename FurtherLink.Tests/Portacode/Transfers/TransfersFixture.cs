using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode.Transfers;

/// <summary>A folder in which nothing may be left behind, a clock that stands, random contents, and as much free space as a test says.</summary>
internal abstract class TransfersFixture
{
    protected ManualTimeProvider Time { get; private set; } = null!;

    protected FileRig Rig { get; private set; } = null!;

    protected Random Chance { get; private set; } = null!;

    /// <summary>Bytes that are free on the disk.</summary>
    protected long Free { get; set; }

    [SetUp]
    public void MakeFolder()
    {
        var seed = Random.Shared.Next();
        TestContext.Out.WriteLine($"seed {seed}");
        Chance = new Random(seed);
        Time = new ManualTimeProvider();
        Rig = new FileRig();
        Free = long.MaxValue / 2;
    }

    [TearDown]
    public void RemoveFolder()
    {
        Assert.That(Rig.Names(), Has.None.Contains(".portacode-"), "something is left behind");
        Rig.Dispose();
    }

    protected byte[] Content(int size)
    {
        var content = new byte[size];
        Chance.NextBytes(content);
        return content;
    }
}
