using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using FurtherLink.Processes.Io;
using FurtherLink.Processes.Native;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes;

/// <summary>How programs that print share the loop.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class OutputPumpTests
{
    [Test]
    public async Task Answers_WhatMayWait_SharesATenthOfTheTime()
    {
        var time = new ManualTimeProvider();
        await using var loop = await StartAsync(time);
        await AnswerAsync(loop);
        var flood = new Flood(loop);
        loop.Post(flood);
        await CountedTurn.PassAsync(loop, times: 20);
        Assert.That(flood.Turns, Is.EqualTo(1), "the next one needs a rest before it");

        time.Advance(TimeSpan.FromMilliseconds(1));
        await Patience.UntilAsync(() => flood.Turns == 2, "a turn after the rest");
        flood.Waits = false;
        time.Advance(TimeSpan.FromMilliseconds(1));
        await Patience.UntilAsync(() => flood.Turns > 100, "turns of what may not wait");
        flood.Waits = true;
        time.Advance(TimeSpan.FromSeconds(1));
        var turns = flood.Turns;
        await Patience.UntilAsync(() => flood.Turns > turns + 100, "turns when nothing answers any more");
    }

    [Test]
    public async Task Answers_OfTheFloodItself_PutNothingOff()
    {
        var time = new ManualTimeProvider();
        await using var loop = await StartAsync(time);
        var flood = new Flood(loop) { Answers = true };
        loop.Post(flood);
        await Patience.UntilAsync(() => flood.Turns > 100, "its turns");
    }

    [Test]
    public async Task Output_WhileAnotherProgramAnswers_OnlyTheFirstOfItGoesAtOnce()
    {
        var time = new ManualTimeProvider();
        await using var loop = await StartAsync(time);
        await using var program = new Program(loop);
        await AnswerAsync(loop);
        // 64 KiB at once, then one turn without a rest before it.
        await program.PrintAsync(pieces: 17);
        program.Print();
        await CountedTurn.PassAsync(loop, times: 20);
        Assert.That(program.Printed, Is.EqualTo(17 * 4096));

        program.Pump.Answer();
        time.Advance(TimeSpan.FromMilliseconds(1));
        await program.SeenAsync(pieces: 18);
        await program.PrintAsync(pieces: 15);
    }

    [Test]
    public async Task Output_OfMoreThanAnAnswer_PutsNobodyOff()
    {
        // Who presses Enter to have a large file printed does not read along.
        var time = new ManualTimeProvider();
        await using var loop = await StartAsync(time);
        await using var typed = new Program(loop);
        await using var other = new Program(loop);
        typed.Pump.Answer();
        await typed.PrintAsync(pieces: 1);
        await other.PrintAsync(pieces: 17);
        other.Print();
        await CountedTurn.PassAsync(loop, times: 20);
        Assert.That(other.Printed, Is.EqualTo(17 * 4096));

        await typed.PrintAsync(pieces: 15);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await other.SeenAsync(pieces: 18);
        await other.PrintAsync(pieces: 30);
    }

    [Test]
    public async Task Output_ThatIsAllThere_IsAskedForOnce()
    {
        // A read of a terminal that has nothing waits for the kernel's thread that fills it, and with it all other programs.
        await using var loop = new IoLoop();
        await using var program = new Program(loop);
        await program.PrintAsync(pieces: 3);
        await CountedTurn.PassAsync(loop, times: 1);
        Assert.That(program.Asked, Is.EqualTo(3));
    }

    [Test]
    public async Task Pipe_OfWhatPrintsFasterThanItIsRead_Widens()
    {
        await using var loop = new IoLoop();
        await using var slow = new Program(loop);
        await using var fast = new Program(loop, pieces: 16);
        await fast.SeenAsync(pieces: 16);
        await slow.PrintAsync(pieces: 16);
        await CountedTurn.PassAsync(loop, times: 1);
        Assert.That((slow.PipeSize, fast.PipeSize), Is.EqualTo((64 * 1024, OutputPump.Turn)));
    }

    /// <summary>A loop that runs: some time after its clock began.</summary>
    private static async Task<IoLoop> StartAsync(ManualTimeProvider time)
    {
        var loop = new IoLoop(time: time);
        await using var program = new Program(loop);
        time.Advance(TimeSpan.FromSeconds(10));
        return loop;
    }

    /// <summary>Has something answer to typing.</summary>
    private static async Task AnswerAsync(IoLoop loop)
    {
        var answer = new Flood(loop) { Answers = true, Most = 1 };
        loop.Post(answer);
        await Patience.UntilAsync(() => answer.Turns == 1, "the answer");
    }

    /// <summary>Takes a turn after the other.</summary>
    private sealed class Flood(IoLoop loop) : LoopWork
    {
        private int _turns;

        public int Turns => Volatile.Read(ref _turns);

        public int Most { get; init; } = int.MaxValue;

        public bool Answers { get; init; }

        public volatile bool Waits = true;

        internal override bool MayWait() => Waits;

        internal override void Run()
        {
            if (Answers)
                loop.Pacing.Answers(this);
            if (Interlocked.Increment(ref _turns) < Most)
                loop.Post(this);
        }
    }

    /// <summary>Prints pieces of 4 KiB.</summary>
    private sealed partial class Program : IAsyncDisposable
    {
        private readonly Descriptor _read;
        private readonly Descriptor _write;
        private readonly CountingWriter _sink = new();
        private readonly IoLoop _loop;
        private readonly long _token;

        /// <summary>Has a program.</summary>
        /// <param name="loop">Where it is read.</param>
        /// <param name="pieces">What it has printed before.</param>
        public Program(IoLoop loop, int pieces = 0)
        {
            _loop = loop;
            (_read, _write) = Libc.Pipe(nonBlockingRead: true);
            for (; pieces > 0; pieces--)
                Print();
            Pump = new OutputPump(loop, _read, _sink, terminal: false, () => { });
            loop.Register(_read, Libc.EpollIn, Pump, out _token);
        }

        public OutputPump Pump { get; }

        public int Printed => _sink.Count;

        /// <summary>How often memory was asked for.</summary>
        public int Asked => _sink.Asked;

        public int PipeSize
        {
            get
            {
                const int GetPipeSize = 1032; // F_GETPIPE_SZ
                return fcntl(_write, GetPipeSize, 0);
            }
        }

        public void Print() => Libc.Write(_write, new byte[4096]);

        /// <summary>Prints each piece when the one before has come.</summary>
        public async Task PrintAsync(int pieces)
        {
            for (var before = Printed / 4096; pieces > 0; pieces--)
            {
                Print();
                await SeenAsync(++before);
            }
        }

        public Task SeenAsync(int pieces) => Patience.UntilAsync(() => Printed == pieces * 4096, $"{pieces} pieces of 4 KiB; there are {Printed} bytes");

        [LibraryImport("libc")]
        private static partial int fcntl(Descriptor descriptor, int command, int argument);

        public ValueTask DisposeAsync()
        {
            _loop.Unregister(_read, _token);
            _read.Dispose();
            _write.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Takes everything.</summary>
    private sealed class CountingWriter : PipeWriter
    {
        private readonly byte[] _memory = new byte[64 * 1024];
        private int _asked;
        private int _count;

        public int Asked => Volatile.Read(ref _asked);

        public int Count => Volatile.Read(ref _count);

        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            Interlocked.Increment(ref _asked);
            return _memory;
        }

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void Advance(int bytes) => Interlocked.Add(ref _count, bytes);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
