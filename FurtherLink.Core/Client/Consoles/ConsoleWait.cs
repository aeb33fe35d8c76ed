namespace FurtherLink.Client.Consoles;

/// <summary>Somebody who waits for something to come to a console. Called under the console's lock.</summary>
internal abstract class ConsoleWait
{
    /// <summary>What is waited for, in words.</summary>
    public required string What { get; init; }

    /// <summary>Whether it takes text: of such there may be one at a time.</summary>
    public bool TakesText { get; init; }

    /// <summary>Looks whether it has come.</summary>
    /// <returns>Whether the waiting has ended.</returns>
    public abstract bool Look();

    /// <summary>It will not come.</summary>
    public abstract void Fail(Exception why);
}

/// <summary>Somebody who waits for a result.</summary>
/// <param name="look">Gives the result once it is there.</param>
internal sealed class ConsoleWait<T>(Func<T?> look) : ConsoleWait
    where T : class
{
    // Who waits goes on elsewhere, not under the lock.
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Task => _done.Task;

    public override bool Look()
    {
        try
        {
            if (look() is not { } result)
                return false;
            _done.TrySetResult(result);
        }
        catch (Exception e)
        {
            // Of a condition or an expression that is not ours: it is its owner who is to know.
            _done.TrySetException(e);
        }

        return true;
    }

    public override void Fail(Exception why) => _done.TrySetException(why);
}
