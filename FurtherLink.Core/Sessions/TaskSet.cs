namespace FurtherLink.Sessions;

/// <summary>Tasks that somebody waits for at the end: what a connection has started beside its loop. Thread safe.</summary>
internal sealed class TaskSet
{
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _tasks = [];

    /// <summary>Keeps a task until it has ended.</summary>
    public void Add(Task task)
    {
        if (task.IsCompleted)
            return;
        lock (_lock)
            _tasks.Add(task);
        _ = KeepAsync(task);
    }

    /// <summary>Runs something on the thread pool and keeps it until it has ended.</summary>
    public void Run(Action action) => Add(Task.Run(action));

    /// <summary>Waits until all have ended, those included that are added meanwhile. Faults are their owners' to report.</summary>
    public async Task WhenEmptyAsync()
    {
        while (true)
        {
            Task[] tasks;
            lock (_lock)
                tasks = [.. _tasks];
            if (tasks.Length == 0)
                return;
            await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var task in tasks)
                Remove(task);
        }
    }

    private async Task KeepAsync(Task task)
    {
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Remove(task);
    }

    private void Remove(Task task)
    {
        lock (_lock)
            _tasks.Remove(task);
    }
}
