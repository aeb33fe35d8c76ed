namespace FurtherLink.Tests.Gatt.Support;

/// <summary>What can be shut, and waited for to be open.</summary>
internal sealed class Gate
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _open = Opened();

    public bool IsOpen => Opening.IsCompleted;

    private Task Opening
    {
        get
        {
            lock (_lock)
                return _open.Task;
        }
    }

    public void Open()
    {
        lock (_lock)
            _open.TrySetResult();
    }

    public void Shut()
    {
        lock (_lock)
        {
            if (_open.Task.IsCompleted)
                _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        // Shut again meanwhile: wait again.
        while (!IsOpen)
            await Opening.WaitAsync(cancellationToken);
    }

    private static TaskCompletionSource Opened()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }
}
