using FurtherLink.Processes.Io;

namespace FurtherLink.Tests.Processes;

/// <summary>Work of a loop that tells when it has had a turn.</summary>
internal sealed class CountedTurn : LoopWork
{
    private readonly SemaphoreSlim _turns = new(0);
    private int _seen = -1;

    /// <summary>What a turn shows as seen.</summary>
    public int Wanted;

    /// <summary>Waits until a turn has seen it.</summary>
    public async Task SeenAsync(int value)
    {
        while (Volatile.Read(ref _seen) < value)
            Assert.That(await _turns.WaitAsync(TimeSpan.FromSeconds(60)), Is.True);
    }

    /// <summary>Waits for turns of the loop, one after the other.</summary>
    public static async Task PassAsync(IoLoop loop, int times)
    {
        var work = new CountedTurn();
        for (var i = 1; i <= times; i++)
        {
            work.Wanted = i;
            loop.Post(work);
            await work.SeenAsync(i);
        }
    }

    internal override void Run()
    {
        Volatile.Write(ref _seen, Volatile.Read(ref Wanted));
        _turns.Release();
    }
}
