using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Sessions;

internal sealed class SessionInputTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly ManualTimeProvider _time = new();
    private Pipe _pipe = null!;
    private SessionInput _input = null!;

    [SetUp]
    public void SetUp()
    {
        _pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 10, resumeWriterThreshold: 5, useSynchronizationContext: false));
        _input = new SessionInput(Timeout, _time);
    }

    [TearDown]
    public void TearDown() => _input.Dispose();

    [Test]
    public async Task Write_BeforeTheProgramRuns_GoesInFirst()
    {
        var early = WriteAsync("early ");
        Assert.That(early.IsCompleted, Is.False);
        _input.Open(_pipe.Writer);
        await early.WaitAsync(Patience.Long);
        await WriteAsync("late").WaitAsync(Patience.Long);

        Assert.That(await ReadAsync(10), Is.EqualTo("early late"));
    }

    [Test]
    public async Task Write_ToAProgramThatDoesNotRead_FailsWholeAfterTheTimeout()
    {
        _input.Open(_pipe.Writer);
        await WriteAsync("0123456789");
        var second = WriteAsync("second");
        Assert.That(second.IsCompleted, Is.False);

        _time.Advance(Timeout);

        var fault = await Assert.ThrowsAsync<LinkException>(() => second.WaitAsync(Patience.Long));
        Assert.That(fault!.Code, Is.EqualTo(FailureCode.InputStalled));
        Assert.That(await ReadAsync(10), Is.EqualTo("0123456789"), "none of the second was written");
        await WriteAsync("third").WaitAsync(Patience.Long);
        Assert.That(await ReadAsync(5), Is.EqualTo("third"));
    }

    [Test]
    public async Task Write_ThatWaits_KeepsItsOrderAndItsBytes()
    {
        _input.Open(_pipe.Writer);
        var reused = new byte[10];
        var writes = new List<Task>();
        for (var i = 0; i < 50; i++)
        {
            Encoding.ASCII.GetBytes($"{i,9}\n", reused);
            writes.Add(_input.WriteAsync(new ReadOnlySequence<byte>(reused), default).AsTask());
        }

        Assert.That(await ReadAsync(500), Is.EqualTo(string.Concat(Enumerable.Range(0, 50).Select(i => $"{i,9}\n"))));
        await Task.WhenAll(writes).WaitAsync(Patience.Long);
    }

    [Test]
    public async Task End_BehindWritesThatWait_ComesAfterThem()
    {
        _input.Open(_pipe.Writer);
        await WriteAsync("0123456789");
        var last = WriteAsync("last");
        var end = _input.WriteAsync(ReadOnlySequence<byte>.Empty, new InputOptions(End: true)).AsTask();

        Assert.That(await ReadAsync(14), Is.EqualTo("0123456789last"));
        await Task.WhenAll(last, end).WaitAsync(Patience.Long);
        Assert.That((await _pipe.Reader.ReadAsync()).IsCompleted, Is.True);
        var fault = await Assert.ThrowsAsync<LinkException>(() => WriteAsync("more"));
        Assert.That(fault!.Code, Is.EqualTo(FailureCode.InputClosed));
    }

    [Test]
    public async Task Write_AfterTheProgramClosedItsInput_SaysSo()
    {
        _input.Open(_pipe.Writer);
        await WriteAsync("0123456789");
        var waiting = WriteAsync("waiting");
        await _pipe.Reader.CompleteAsync();

        Assert.That((await Assert.ThrowsAsync<LinkException>(() => waiting.WaitAsync(Patience.Long)))!.Code, Is.EqualTo(FailureCode.InputClosed));
        Assert.That((await Assert.ThrowsAsync<LinkException>(() => WriteAsync("more")))!.Code, Is.EqualTo(FailureCode.InputClosed));
    }

    [Test]
    public async Task Write_AfterTheInputBroke_SaysSo()
    {
        _input.Open(_pipe.Writer);
        await _pipe.Reader.CompleteAsync(new IOException("broken"));

        for (var i = 0; i < 2; i++)
            Assert.That((await Assert.ThrowsAsync<LinkException>(() => WriteAsync("more")))!.Code, Is.EqualTo(FailureCode.InputClosed));
    }

    [Test]
    public async Task Dispose_WhileWritesWait_FailsThem()
    {
        var waiting = WriteAsync("early");
        _input.Dispose();
        Assert.That((await Assert.ThrowsAsync<LinkException>(() => waiting.WaitAsync(Patience.Long)))!.Code, Is.EqualTo(FailureCode.InputClosed));
    }

    private Task WriteAsync(string text) => _input.WriteAsync(new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(text)), default).AsTask();

    private async Task<string> ReadAsync(int bytes)
    {
        var text = new StringBuilder();
        while (text.Length < bytes)
        {
            var result = await _pipe.Reader.ReadAsync().AsTask().WaitAsync(Patience.Long);
            text.Append(Encoding.ASCII.GetString(result.Buffer));
            _pipe.Reader.AdvanceTo(result.Buffer.End);
        }

        return text.ToString();
    }
}
