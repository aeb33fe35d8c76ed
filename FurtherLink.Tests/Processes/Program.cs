using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes;

namespace FurtherLink.Tests.Processes;

/// <summary>A program under test and what it has printed.</summary>
/// <param name="capacity">Bytes of output taken before the program has to wait for a reader.</param>
internal sealed class Program(int capacity) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _errorText = new();
    private readonly List<(string Text, TaskCompletionSource Seen)> _waiting = [];
    private Task? _collecting;

    public Pipe Out { get; } = new(new PipeOptions(pauseWriterThreshold: capacity, resumeWriterThreshold: (capacity + 1) / 2, useSynchronizationContext: false));

    public Pipe Error { get; } = new(new PipeOptions(useSynchronizationContext: false));

    public IProcess Process { get; set; } = null!;

    public string SessionId { get; set; } = "";

    public string Text
    {
        get
        {
            lock (_lock)
                return _text.ToString();
        }
    }

    public string ErrorText
    {
        get
        {
            lock (_lock)
                return _errorText.ToString();
        }
    }

    public void Collect() => _collecting = Task.WhenAll(CollectAsync(Out.Reader, _text), CollectAsync(Error.Reader, _errorText));

    /// <summary>Completes once a text has been printed, on either stream.</summary>
    public async Task SeeAsync(string text)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (Has(text))
                return;
            _waiting.Add((text, seen));
        }

        try
        {
            await seen.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException)
        {
            Assert.Fail($"\"{text}\" was not printed, but: {Text}{ErrorText}");
        }
    }

    /// <summary>Waits for the program's end and all that it printed.</summary>
    public async Task<ExitStatus> ExitAsync()
    {
        var status = await Process.Exited.WaitAsync(TimeSpan.FromSeconds(120));
        await Out.Writer.CompleteAsync();
        await Error.Writer.CompleteAsync();
        if (_collecting is not null)
            await _collecting;
        return status;
    }

    public async Task TypeAsync(string text) => await Process.Input.WriteAsync(Encoding.UTF8.GetBytes(text));

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        await ExitAsync();
    }

    private bool Has(string text) =>
        _text.ToString().Contains(text, StringComparison.Ordinal) || _errorText.ToString().Contains(text, StringComparison.Ordinal);

    private async Task CollectAsync(PipeReader reader, StringBuilder text)
    {
        while (true)
        {
            var result = await reader.ReadAsync();
            lock (_lock)
            {
                text.Append(Encoding.Latin1.GetString(result.Buffer.ToArray()));
                foreach (var waiting in _waiting.Where(waiting => Has(waiting.Text)))
                    waiting.Seen.TrySetResult();
            }

            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return;
        }
    }
}
