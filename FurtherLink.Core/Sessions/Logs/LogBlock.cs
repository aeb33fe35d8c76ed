using FurtherLink.Messages;

namespace FurtherLink.Sessions.Logs;

/// <summary>A piece of a log's memory, filled once by one stream and given back when nobody points into it.</summary>
/// <param name="bytes">The memory.</param>
internal sealed class LogBlock(byte[] bytes)
{
    /// <summary>The memory.</summary>
    public byte[] Bytes { get; } = bytes;

    /// <summary>The stream that fills it.</summary>
    public OutputKind Kind { get; set; }

    /// <summary>Who points into it: its writer, entries, readers. Guarded by the log's lock.</summary>
    public int References { get; set; }

    /// <summary>Somebody may still touch it who did not say when he is done: it is left to the garbage collector, never used again.</summary>
    public bool IsAbandoned { get; set; }
}

/// <summary>Keeps blocks for reuse by all logs. Thread safe.</summary>
internal sealed class LogBlockPool
{
    /// <summary>What a stream needs that writes next to nothing, as a shell that waits with its prompt.</summary>
    public const int FirstSize = 1024;

    /// <summary>What a stream that writes little needs.</summary>
    public const int SmallSize = 4 * 1024;

    /// <summary>What a stream that writes much needs: one read of a pipe.</summary>
    public const int LargeSize = 64 * 1024;

    // 64 * 64 KiB = 4 MiB and 256 * (4 + 1) KiB = 1.25 MiB: what lies idle at most.
    private const int MaxLarge = 64;
    private const int MaxSmall = 256;

    private readonly Lock _lock = new();
    private readonly Stack<LogBlock> _first = new();
    private readonly Stack<LogBlock> _small = new();
    private readonly Stack<LogBlock> _large = new();

    /// <summary>The pool of this process.</summary>
    public static LogBlockPool Shared { get; } = new();

    /// <summary>Blocks that are out.</summary>
    public int Rented { get; private set; }

    /// <summary>Takes a block of at least so many bytes.</summary>
    public LogBlock Rent(int atLeast)
    {
        lock (_lock)
        {
            Rented++;
            if (StackFor(atLeast)?.TryPop(out var block) == true)
                return block;
        }

        return new LogBlock(GC.AllocateUninitializedArray<byte>(atLeast switch
        {
            <= FirstSize => FirstSize,
            <= SmallSize => SmallSize,
            <= LargeSize => LargeSize,
            _ => atLeast,
        }));
    }

    /// <summary>Takes a block back that nobody points into.</summary>
    public void Return(LogBlock block)
    {
        lock (_lock)
        {
            Rented--;
            var size = block.Bytes.Length;
            if (!block.IsAbandoned && StackFor(size) is { } stack && stack.Count < (size <= SmallSize ? MaxSmall : MaxLarge))
                stack.Push(block);
        }
    }

    private Stack<LogBlock>? StackFor(int size) => size <= FirstSize ? _first : size <= SmallSize ? _small : size <= LargeSize ? _large : null;
}
