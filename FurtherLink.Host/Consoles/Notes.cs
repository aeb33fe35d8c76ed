using FurtherLink.Client;

namespace FurtherLink.Host.Consoles;

/// <summary>What the commands say to people beside their programs' output: lines on standard error. Thread safe; nobody waits for it.</summary>
/// <param name="write">Writes to standard error; one call at a time.</param>
/// <param name="isQuiet">Only what went wrong is said.</param>
internal sealed class Notes(Func<string, Task> write, bool isQuiet)
{
    private readonly Lock _lock = new();
    private Task _said = Task.CompletedTask;
    private volatile bool _isLost;
    private volatile bool _isOver;
    private bool _wasTold;

    /// <summary>On a terminal in raw mode a line has to begin at its left edge by itself.</summary>
    public bool IsRaw { get; set; }

    /// <summary>Whether the connection is lost at the moment.</summary>
    public bool IsLost => _isLost;

    /// <summary>The program has ended, or was left: how the connection is concerns nobody any more.</summary>
    public void End() => _isOver = true;

    /// <summary>Says something that is good to know.</summary>
    public void Say(string line)
    {
        if (!isQuiet)
            Write(line);
    }

    /// <summary>Says what went wrong.</summary>
    public void Complain(string line) => Write(line);

    /// <summary>Says how the connection is.</summary>
    public void Tell(LinkChange change)
    {
        _isLost = change.State == LinkState.Reconnecting;
        if (_isOver)
            return;
        switch (change.State)
        {
            case LinkState.Reconnecting:
                _wasTold = true;
                Say(change.Why is { Length: > 0 } why ? $"connection lost ({why}), trying again" : "connection lost, trying again");
                break;
            case LinkState.Connected when _wasTold:
                Say("back");
                break;
        }
    }

    /// <summary>Puts a text in place of the last line of a terminal, which stays open for the next.</summary>
    public void Draw(string text)
    {
        if (isQuiet)
            return;
        lock (_lock)
            _said = WriteAsync(_said, $"\r\e[K{text}");
    }

    /// <summary>Rings the terminal's bell.</summary>
    public void Ring()
    {
        lock (_lock)
            _said = WriteAsync(_said, "\a");
    }

    /// <summary>Completes when all that was said has been written.</summary>
    public Task WrittenAsync()
    {
        lock (_lock)
            return _said;
    }

    private void Write(string line)
    {
        var end = IsRaw ? "\r\n" : "\n";
        lock (_lock)
            _said = WriteAsync(_said, $"furtherlink: {PlainText.Of(line)}{end}");
    }

    // Who says something may be on a thread that must not wait.
    private async Task WriteAsync(Task before, string text)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        try
        {
            await write(text);
        }
        catch (IOException)
        {
            // Nobody can be told; the exit code says it.
        }
    }
}
