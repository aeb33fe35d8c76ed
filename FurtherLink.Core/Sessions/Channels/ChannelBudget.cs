namespace FurtherLink.Sessions.Channels;

/// <summary>How many bytes of unfinished messages the connections of one session may hold together. Thread safe.</summary>
/// <param name="capacity">In bytes.</param>
internal sealed class ChannelBudget(int capacity)
{
    private int _left = capacity;

    /// <summary>Takes a share.</summary>
    /// <returns>False where too little is left; nothing is taken then.</returns>
    public bool TryTake(int count)
    {
        if (Interlocked.Add(ref _left, -count) >= 0)
            return true;
        Interlocked.Add(ref _left, count);
        return false;
    }

    /// <summary>Gives a share back.</summary>
    public void Return(int count) => Interlocked.Add(ref _left, count);
}
