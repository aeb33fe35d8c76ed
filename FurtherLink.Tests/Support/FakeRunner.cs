using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Channels;
using FurtherLink.Messages;
using FurtherLink.Processes;

namespace FurtherLink.Tests.Support;

/// <summary>A runner whose programs are played by the test.</summary>
internal sealed class FakeRunner(string name = "fake") : IProcessRunner
{
    private readonly Channel<FakeProcess> _started = Channel.CreateUnbounded<FakeProcess>();
    private int _ids = 100_000;

    public string Name { get; } = name;

    /// <summary>Set by a test to hold starts back, or to make them fail.</summary>
    public Func<RunRequest, Task> BeforeStart { get; set; } = _ => Task.CompletedTask;

    public async ValueTask<IProcess> StartAsync(RunRequest request, ProcessContext context, CancellationToken cancellationToken)
    {
        await BeforeStart(request).WaitAsync(cancellationToken);
        var process = new FakeProcess(Interlocked.Increment(ref _ids), request, context);
        await _started.Writer.WriteAsync(process, cancellationToken);
        return process;
    }

    /// <summary>The next program that was started.</summary>
    public async Task<FakeProcess> NextAsync() => await _started.Reader.ReadAsync().AsTask().WaitAsync(Patience.Long);
}

/// <summary>A program played by the test. Stopping it exits with -15.</summary>
internal sealed class FakeProcess : IProcess
{
    private readonly Pipe _input = new(new PipeOptions(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 128 * 1024, useSynchronizationContext: false));
    private long _taken;
    private readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeProcess(int id, RunRequest request, ProcessContext context)
    {
        Id = id;
        Request = request;
        Context = context;
    }

    public RunRequest Request { get; }

    public ProcessContext Context { get; }

    public List<object> Controls { get; } = [];

    public PipeReader ReadInput => _input.Reader;

    public int Id { get; }

    public string WorkingDirectory => "/tmp";

    public PipeWriter Input => _input.Writer;

    public Task<ExitStatus> Exited => _exited.Task;

    public bool HasDescendants { get; set; }

    public bool IsDisposed { get; private set; }

    public bool TryResize(TerminalSize size)
    {
        lock (Controls)
            Controls.Add(size);
        return Request.Terminal is not null;
    }

    public void Signal(int number)
    {
        lock (Controls)
            Controls.Add(number);
    }

    public Task PrintAsync(string text, OutputKind kind = OutputKind.Out) => PrintAsync(System.Text.Encoding.UTF8.GetBytes(text), kind);

    public async Task PrintAsync(ReadOnlyMemory<byte> bytes, OutputKind kind = OutputKind.Out) =>
        await (kind is OutputKind.Out ? Context.Out : Context.Error).WriteAsync(bytes);

    /// <summary>Takes input, which must be this text.</summary>
    public async Task TakeAsync(string expected)
    {
        var left = System.Text.Encoding.UTF8.GetBytes(expected).AsMemory();
        while (left.Length > 0)
        {
            var result = await _input.Reader.ReadAsync().AsTask().WaitAsync(Patience.Long);
            var taken = Take(result.Buffer, left.Length);
            Assert.That(taken.AsSpan().SequenceEqual(left.Span[..taken.Length]), Is.True, $"expected {expected[..Math.Min(40, expected.Length)]}");
            left = left[taken.Length..];
        }
    }

    /// <summary>Takes at most so many bytes of what is there now.</summary>
    public byte[] TakeSome(int most) => _input.Reader.TryRead(out var result) ? Take(result.Buffer, most) : [];

    /// <summary>Closes its input, as a program that reads no more.</summary>
    public ValueTask CloseInputAsync() => _input.Reader.CompleteAsync();

    /// <summary>The input must end here.</summary>
    public async Task TakeEndAsync()
    {
        var result = await _input.Reader.ReadAsync().AsTask().WaitAsync(Patience.Long);
        Assert.That((result.IsCompleted, result.Buffer.Length), Is.EqualTo((true, 0L)));
    }

    private byte[] Take(ReadOnlySequence<byte> there, int most)
    {
        var part = there.Slice(0, Math.Min(most, there.Length));
        var taken = part.ToArray();
        _input.Reader.AdvanceTo(part.End);
        if (taken.Length > 0)
            Context.InputTaken?.Invoke(_taken += taken.Length);
        return taken;
    }

    public void Exit(int code) => _exited.TrySetResult(new ExitStatus(code));

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        HasDescendants = false;
        Exit(-15);
        return ValueTask.CompletedTask;
    }
}
