using System.Buffers;
using FurtherLink.Host.Serving;

namespace FurtherLink.Tests.Host;

/// <summary>The memory of the host's connections.</summary>
public sealed class HotBlocksTests
{
    [Test]
    public void Rent_AfterSeveralWereGivenBack_GivesTheLastOne()
    {
        using var blocks = new HotBlocks();
        var first = blocks.Rent();
        var second = blocks.Rent(HotBlocks.BlockSize);
        Assert.That((first.Memory.Length, second.Memory.Length), Is.EqualTo((HotBlocks.BlockSize, HotBlocks.BlockSize)));
        second.Dispose();
        first.Dispose();
        Assert.That(blocks.Rent(), Is.SameAs(first));
        Assert.That(blocks.Rent(), Is.SameAs(second));
    }

    [Test]
    public void Return_OfMoreThanMayLieIdle_LetsThemGo()
    {
        using var blocks = new HotBlocks();
        var rented = Enumerable.Range(0, HotBlocks.MaxIdle + 1).Select(_ => blocks.Rent()).ToArray();
        Array.ForEach(rented, static block => block.Dispose());
        var again = Enumerable.Range(0, HotBlocks.MaxIdle + 1).Select(_ => blocks.Rent()).ToArray();
        Assert.That(again.Intersect(rented).Count(), Is.EqualTo(HotBlocks.MaxIdle));
    }

    [Test]
    public void Rent_OfMoreThanABlock_IsRefused()
    {
        using var blocks = new HotBlocks();
        Assert.That(() => blocks.Rent(HotBlocks.BlockSize + 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }
}
