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
    public async Task Write_ThatAProgramTakesAndEndsAtOnce_IsNoFault()
    {
        _input.Open(new LastReader(_input));
        await WriteAsync("\u0004");

        var fault = await Assert.ThrowsAsync<LinkException>(() => WriteAsync("more"));
        Assert.That(fault!.Code, Is.EqualTo(FailureCode.InputClosed));
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

    [Test]
    public async Task NumberedInput_ThatWasNotTakenBeforeTheEnd_NeverCountsAsTaken()
    {
        _input.Open(_pipe.Writer);
        var first = WriteAsync("a", 1);
        var second = WriteAsync("b", 2);
        _input.OnTaken(1);
        await first.WaitAsync(Patience.Long);
        _input.Dispose();

        Assert.That((await Assert.ThrowsAsync<LinkException>(() => second.WaitAsync(Patience.Long)))!.Code, Is.EqualTo(FailureCode.InputClosed));
        Assert.That((await Assert.ThrowsAsync<LinkException>(() => WriteAsync("b", 2)))!.Code, Is.EqualTo(FailureCode.InputClosed), "sent again");
        await WriteAsync("a", 1).WaitAsync(Patience.Long);
    }

    [Test]
    public async Task NumberedInput_WithoutBytes_IsTakenWithWhatLiesBeforeIt()
    {
        _input.Open(_pipe.Writer);
        var first = WriteAsync("a", 1);
        var empty = WriteAsync("", 2);
        Assert.That(empty.IsCompleted, Is.False);
        _input.OnTaken(1);
        await Task.WhenAll(first, empty).WaitAsync(Patience.Long);
        await WriteAsync("", 3, end: true).WaitAsync(Patience.Long);
    }

    [Test]
    public async Task Input_ThatIsHandedOver_IsToldOnce()
    {
        var told = new StringBuilder();
        using var input = new SessionInput(Timeout, _time, put: data => told.Append(Encoding.ASCII.GetString(data)));
        var early = WriteAsync("early ", 1, input: input);
        input.Open(_pipe.Writer);
        _ = WriteAsync("early ", 1, input: input);
        _ = WriteAsync("full", 2, input: input);
        var refused = WriteAsync("refused", 3, input: input);
        _time.Advance(Timeout);
        await Assert.ThrowsAsync<LinkException>(() => refused.WaitAsync(Patience.Long));
        await Assert.ThrowsAsync<LinkException>(() => WriteAsync("out of order", 5, input: input));
        input.OnTaken(10);
        await early.WaitAsync(Patience.Long);

        Assert.That(told.ToString(), Is.EqualTo("early full"));
    }

    [Test]
    public async Task NumberedInput_OfManyClientsSentAgainAtRandom_IsTakenOnceAndInOrder()
    {
        var seed = Environment.TickCount;
        await TestContext.Out.WriteLineAsync($"seed {seed}");
        var random = new Random(seed);
        var taken = new Dictionary<string, long>();
        _input.Dispose();
        _input = new SessionInput(Timeout, _time, mark =>
        {
            Assert.That(mark.Sequence, Is.EqualTo(taken.GetValueOrDefault(mark.ClientId) + 1), mark.ClientId);
            taken[mark.ClientId] = mark.Sequence;
        });
        _input.Open(_pipe.Writer);
        string[] clients = ["a", "b", "c"];
        var got = new StringBuilder();
        var total = 0L;
        for (var i = 0; i < 5_000; i++)
        {
            switch (random.Next(10))
            {
                case < 6:
                    // Any number near the next one: what is too early is refused, what is known is not written again.
                    var client = clients[random.Next(clients.Length)];
                    var seq = Math.Max(0, taken.GetValueOrDefault(client) + random.Next(-3, 12));
                    _ = IgnoreAsync(() => WriteAsync($"{client}{seq} ", seq, client));
                    break;
                case < 9:
                    Read(random.Next(1, 20));
                    break;
                default:
                    _time.Advance(random.Next(4) == 0 ? Timeout : Timeout / 8);
                    break;
            }
        }

        while (Read(1000))
        {
        }

        foreach (var client in clients)
        {
            var numbers = got.ToString().Split(' ').Where(word => word.StartsWith(client, StringComparison.Ordinal)).Select(word => long.Parse(word[1..])).ToList();
            Assert.That(numbers, Is.EqualTo(Enumerable.Range(1, numbers.Count).Select(n => (long)n)), client);
            Assert.That(taken[client], Is.EqualTo(numbers.Count), "all that was read has been told");
        }

        bool Read(int most)
        {
            if (!_pipe.Reader.TryRead(out var result) || result.Buffer.IsEmpty)
                return false;
            var part = result.Buffer.Slice(0, Math.Min(most, result.Buffer.Length));
            got.Append(Encoding.ASCII.GetString(part));
            total += part.Length;
            _pipe.Reader.AdvanceTo(part.End);
            _input.OnTaken(total);
            return true;
        }
    }

    private static async Task IgnoreAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (LinkException)
        {
            // Refused, as it must be now and then.
        }
    }

    private Task WriteAsync(string text, long sequence, string client = "me", bool end = false, SessionInput? input = null) =>
        (input ?? _input).WriteAsync(new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(text)), new InputOptions(end, new InputMark(client, sequence))).AsTask();

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

    /// <summary>A program that has taken all that was written, and has ended, when the flush comes back.</summary>
    private sealed class LastReader(SessionInput input) : PipeWriter
    {
        private readonly byte[] _memory = new byte[64];
        private long _total;

        public override Memory<byte> GetMemory(int sizeHint = 0) => _memory;

        public override Span<byte> GetSpan(int sizeHint = 0) => _memory;

        public override void Advance(int bytes) => _total += bytes;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            input.OnTaken(_total);
            return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
        }

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
