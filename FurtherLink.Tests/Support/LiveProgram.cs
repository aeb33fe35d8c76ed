using System.Text;
using System.Text.Json.Nodes;

namespace FurtherLink.Tests.Support;

/// <summary>A program of a <see cref="LiveClient"/>: all that its client has heard of it, and what it can be told.</summary>
internal sealed class LiveProgram(LiveClient client, string name)
{
    private readonly Lock _lock = new();
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly List<string> _errors = [];
    private readonly List<(string Channel, string Text)> _notices = [];
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _seen;

    public string Name { get; } = name;

    /// <summary>Completes with the answer to its start.</summary>
    public Task Answered => _answered.Task;

    public bool IsStarted { get; private set; }

    /// <summary>All of its standard output so far.</summary>
    public string Output => Locked(_output.ToString);

    /// <summary>All of its standard error so far.</summary>
    public string Error => Locked(_error.ToString);

    /// <summary>What the server refused about it, in words.</summary>
    public IReadOnlyList<string> Errors => Locked(() => (IReadOnlyList<string>)[.. _errors]);

    /// <summary>What it has sent beside its streams so far.</summary>
    public IReadOnlyList<(string Channel, string Text)> Notices => Locked(() => (IReadOnlyList<(string, string)>)[.. _notices]);

    /// <summary>Waits until a text stands in the output behind the one that was seen before.</summary>
    public Task SeeAsync(string text) => HearAsync(() =>
    {
        var at = _output.ToString(_seen, _output.Length - _seen).IndexOf(text, StringComparison.Ordinal);
        if (at < 0)
            return false;
        _seen += at + text.Length;
        return true;
    }, $"\"{text}\"");

    /// <summary>Waits until the server has refused something about it.</summary>
    public Task RefusedAsync() => HearAsync(() => _errors.Count > 0, "a refusal");

    /// <summary>Waits until it has sent something beside its streams.</summary>
    public Task NoticeAsync(string channel, string text) => HearAsync(() => _notices.Contains((channel, text)), $"\"{text}\" on {channel}");

    /// <summary>Waits for its stopped.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> ExitAsync() => _exited.Task.WaitAsync(LiveClient.Patience);

    public Task TypeAsync(string input) => client.SendAsync("stdin", Name, new { input });

    public Task ResizeAsync(int rows, int cols) => client.SendAsync("resize", Name, new { rows, cols });

    public Task KeyAsync(string key, string @event) => client.SendAsync("keyevent", Name, new { key, @event });

    public Task StopAsync() => client.SendAsync("stop", Name);

    /// <summary>Called for each message about it.</summary>
    public void Take(string type, JsonNode? data)
    {
        lock (_lock)
        {
            switch (type)
            {
                case "started" when !IsStarted:
                    IsStarted = true;
                    _answered.SetResult();
                    break;
                case "error":
                    _errors.Add($"{data!["message"]}: {data["detail"]}");
                    _answered.TrySetResult();
                    break;
                case "stdout" when IsStarted:
                    _output.Append((string)data!["output"]!);
                    break;
                case "stderr" when IsStarted:
                    _error.Append((string)data!["output"]!);
                    break;
                case "video" or "keylisten" when IsStarted:
                    _notices.Add((type, (string)data!["output"]!));
                    break;
                case "stopped" when IsStarted:
                    _exited.SetResult((int)data!["exitCode"]!);
                    break;
                default:
                    throw new AssertionException($"Not expected of {Name} now: {type} {data?.ToJsonString()}");
            }
        }

        Interlocked.Exchange(ref _heard, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    /// <summary>Called when nothing more will be heard of it.</summary>
    public void Fail(Exception end)
    {
        _answered.TrySetException(end);
        _exited.TrySetException(end);
        _ = _exited.Task.Exception;
        Volatile.Read(ref _heard).TrySetException(end);
    }

    private async Task HearAsync(Func<bool> heard, string what)
    {
        while (true)
        {
            var more = Volatile.Read(ref _heard).Task;
            if (Locked(heard))
                return;
            if (_exited.Task.IsCompletedSuccessfully && !Locked(heard))
                throw new AssertionException($"{Name} stopped without {what}. Its output: {Output}{Error}");
            try
            {
                await more.WaitAsync(LiveClient.Patience);
            }
            catch (TimeoutException e)
            {
                throw new AssertionException($"{what} did not come from {Name}. Its output: {Output}{Error}", e);
            }
        }
    }

    private T Locked<T>(Func<T> get)
    {
        lock (_lock)
            return get();
    }
}
