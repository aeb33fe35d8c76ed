namespace FurtherLink.Processes.Io;

/// <summary>Something that runs on the loop's thread when it is posted. It must not wait.</summary>
internal abstract class LoopWork
{
    /// <summary>The one posted before it, while it waits for the loop.</summary>
    internal LoopWork? Next { get; set; }

    // 1 = it waits for its turn already, and a further post changes nothing.
    private int _posted;

    /// <summary>Whether its turn may be put off while others answer to typing, see <see cref="Pacing"/>. Asked on the loop's thread.</summary>
    internal virtual bool MayWait() => false;

    /// <summary>One turn, on the loop's thread.</summary>
    internal abstract void Run();

    /// <summary>Whether it is the caller who has to hand it to the loop.</summary>
    internal bool TryPost() => Interlocked.Exchange(ref _posted, 1) == 0;

    /// <summary>From here on a post brings another turn.</summary>
    /// <remarks>A full fence: what the turn reads must not be read before, or what a post that comes too late for another turn was about is missed.</remarks>
    internal void Take() => Interlocked.Exchange(ref _posted, 0);
}
