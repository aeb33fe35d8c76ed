using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace FurtherLink.Host.Serving;

/// <summary>
/// Memory for what goes through connections: the block that was given back last is the next to be used, and still in the processor's caches then. The
/// server's own pool uses all that it ever had in turn, so that each of many busy connections writes to memory that has left them. Thread safe.
/// </summary>
internal sealed class HotBlocks : MemoryPool<byte>
{
    /// <summary>Bytes of a block: the server's own pool has the same.</summary>
    public const int BlockSize = 4096;

    /// <summary>Blocks that lie idle at most: 4 MiB.</summary>
    public const int MaxIdle = 1024;

    private readonly Lock _lock = new();
    private readonly Stack<IMemoryOwner<byte>> _idle = new();

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockSize;

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        lock (_lock)
        {
            if (_idle.TryPop(out var block))
                return block;
        }

        return new Block(this);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }

    private void Return(Block block)
    {
        lock (_lock)
        {
            if (_idle.Count < MaxIdle)
                _idle.Push(block);
        }
    }

    /// <summary>Makes such memory for a server.</summary>
    internal sealed class Factory : IMemoryPoolFactory<byte>
    {
        /// <inheritdoc/>
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new HotBlocks();
    }

    private sealed class Block(HotBlocks pool) : IMemoryOwner<byte>
    {
        // Where it is it stays: a socket that sends it need not pin it.
        public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(GC.AllocateUninitializedArray<byte>(BlockSize, pinned: true), 0, BlockSize);

        public void Dispose() => pool.Return(this);
    }
}
