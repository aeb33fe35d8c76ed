using System.IO.Pipelines;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes;

/// <summary>A program that is a method ends as programs do: by itself, by its mistake, by a signal, or in any case when it is disposed.</summary>
[TestFixture]
internal sealed class TaskProcessTests
{
    private readonly Pipe _out = new();
    private readonly Pipe _error = new();

    [Test]
    public async Task Program_ThatReadsToTheEnd_GetsAllInputAndExits()
    {
        await using var process = Start(async (input, stop) =>
        {
            var all = await input.ReadAtLeastAsync(1024, stop);
            return (int)all.Buffer.Length;
        });
        await process.Input.WriteAsync("hello"u8.ToArray());
        await process.Input.CompleteAsync();
        Assert.That(await process.Exited.WaitAsync(Patience.Long), Is.EqualTo(new ExitStatus(5)));
    }

    [Test]
    public async Task Program_ThatThrows_SaysSoAndExitsWithOne()
    {
        await using var process = Start((_, _) => throw new InvalidOperationException("no such luck"));
        Assert.That(await process.Exited.WaitAsync(Patience.Long), Is.EqualTo(new ExitStatus(1)));
        var said = await _error.Reader.ReadAsync();
        Assert.That(Encoding.UTF8.GetString(said.Buffer), Is.EqualTo("no such luck\n"));
    }

    [TestCase(2)]
    [TestCase(15)]
    public async Task Program_ThatWaits_IsEndedBySignal(int signal)
    {
        await using var process = Start(WaitAsync);
        process.Signal(10);
        process.Signal(signal);
        process.Signal(9);
        Assert.That(await process.Exited.WaitAsync(Patience.Long), Is.EqualTo(new ExitStatus(-signal)));
    }

    [Test]
    public async Task Program_ThatGoesOnAllTheSame_IsLeftToItself()
    {
        var end = new TaskCompletionSource<int>();
        var process = Start((_, _) => end.Task);
        await process.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        Assert.That(await process.Exited.WaitAsync(Patience.Long), Is.EqualTo(new ExitStatus(-9)));
        end.SetResult(0);
    }

    [Test]
    public async Task Program_ThatHasEnded_TakesNoInput()
    {
        await using var process = Start((_, _) => Task.FromResult(0));
        await process.Exited.WaitAsync(Patience.Long);
        var flush = await process.Input.WriteAsync("late"u8.ToArray());
        Assert.That((flush.IsCompleted, process.TryResize(new TerminalSize(1, 1)), process.HasDescendants), Is.EqualTo((true, false, false)));
    }

    private static async Task<int> WaitAsync(PipeReader input, CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, stop);
        return 0;
    }

    private TaskProcess Start(Func<PipeReader, CancellationToken, Task<int>> run) => new(new ProcessContext("s", _out.Writer, _error.Writer), run);
}
