using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Io;

/// <summary>
/// Carries what a program prints from its descriptor into a pipe writer's own memory, on the loop. While a flush waits the descriptor is
/// not read, so that the program waits in its write. Allocates nothing per chunk.
/// </summary>
/// <remarks>All but <see cref="Drain"/> and <see cref="Abandon"/> belongs to the loop's thread.</remarks>
[SupportedOSPlatform("linux")]
internal sealed class OutputPump : LoopWork, IDescriptorHandler
{
    /// <summary>
    /// Bytes read before others get their turn: a pipe's, once it is wide. Among many that print without end, to come to one costs as much as to carry
    /// some 50 KB, for all that belongs to it has left the processor's caches.
    /// </summary>
    public const int Turn = 256 * 1024;

    // What a pipe holds as it is made.
    private const int NarrowPipe = 64 * 1024;

    // A terminal gives 4 KiB at most.
    private const int MuchOfATerminal = 2048;

    // What goes at once while somebody types: more than a screen, in the colours of each character.
    private const int Unpaced = 64 * 1024;
    private static readonly TimeSpan UnpacedFor = TimeSpan.FromSeconds(1);

    private readonly IoLoop _loop;
    private readonly Descriptor _descriptor;
    private readonly PipeWriter _writer;
    private readonly bool _terminal;
    private readonly Action _ended;
    private readonly Action _flushed;
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;
    private bool _readable;
    private bool _hungUp; // the kernel tells of no end again: it is read until there
    private bool _flushing;
    private bool _flushDone; // set on any thread
    private bool _drain; // set on any thread
    private bool _abandoned; // set on any thread
    private bool _draining;
    private bool _typed; // set on any thread
    private bool _wide; // as wide as it may be, or no pipe
    private int _unpaced = Unpaced;
    private long _unpacedSince;
    private int _left; // bytes that may still be read while draining

    /// <summary>Makes a pump, which waits for its descriptor's first event.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="descriptor">What to read; not blocking. Closing it stays its owner's.</param>
    /// <param name="writer">Where it goes; completed at the end.</param>
    /// <param name="terminal">Whether it is the master of a terminal.</param>
    /// <param name="ended">Called once on the loop's thread when nothing more will be read and all is flushed.</param>
    public OutputPump(IoLoop loop, Descriptor descriptor, PipeWriter writer, bool terminal, Action ended)
    {
        _loop = loop;
        _descriptor = descriptor;
        _writer = writer;
        _terminal = _wide = terminal;
        _ended = ended;
        _flushed = OnFlushed;
    }

    /// <summary>Whether nothing more will be read.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>The program has ended: what the kernel still holds of its output is read, and no more. Any thread.</summary>
    public void Drain()
    {
        Volatile.Write(ref _drain, true);
        _loop.Post(this);
    }

    /// <summary>From now on what is drained does not wait for room any more. Any thread.</summary>
    public void Abandon()
    {
        Volatile.Write(ref _abandoned, true);
        _loop.Post(this);
    }

    /// <summary>Its program was typed to: what it answers is not put off, and others are for its sake. Any thread.</summary>
    public void Answer() => Volatile.Write(ref _typed, true);

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        if ((events & (Libc.EpollIn | Libc.EpollHangUp | Libc.EpollError)) == 0)
            return;
        _hungUp |= (events & (Libc.EpollHangUp | Libc.EpollError)) != 0;
        _readable = true;
        _loop.Post(this);
    }

    /// <summary>True for what prints more than anybody reads. The first of each second, what answers to typing, and the end are not put off.</summary>
    internal override bool MayWait()
    {
        if (Volatile.Read(ref _typed))
        {
            Volatile.Write(ref _typed, false);
            _loop.Pacing.Answers(this);
            Refill();
        }
        else if (_loop.Time.GetElapsedTime(_unpacedSince) > UnpacedFor)
            Refill();
        return _unpaced <= 0 && !Volatile.Read(ref _drain);
    }

#pragma warning disable CA2012, VSTHRD002 // The loop's thread cannot await: the result is taken once, after it is known to be there.
    /// <inheritdoc/>
    internal override void Run()
    {
        if (IsEnded)
            return;
        try
        {
            if (Volatile.Read(ref _drain) && !_draining)
                BeginDrain();
            if (_flushing && Volatile.Read(ref _flushDone))
            {
                _flushing = false;
                if (!Accept(_flush.GetResult()))
                    return;
            }

            if (!_flushing || (_draining && Volatile.Read(ref _abandoned)))
                Pump();
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or ObjectDisposedException)
        {
            // The writer was completed, or the descriptor is broken: nobody is left to read for.
            End();
        }
    }

    private void BeginDrain()
    {
        // What background children go on writing is not the program's: from a pipe comes what it holds at this moment. A terminal was hung up
        // with its leader's end; it holds at most 64 KiB in buffers, and a line of 4 KiB.
        const int TerminalMost = 128 * 1024;
        _draining = true;
        _readable = true;
        _left = _terminal ? TerminalMost : Libc.Available(_descriptor);
    }

    /// <summary>
    /// Whether a terminal is asked again though it has given all that it had. One that goes on printing makes the caller wait until the kernel's own
    /// thread has filled it again: the fastest way to take much, but everybody else waits behind it.
    /// </summary>
    private bool WaitsForMore(int count) => _terminal && count >= MuchOfATerminal && !_loop.Pacing.OthersAnswer(this);

    private void Refill()
    {
        _unpaced = Unpaced;
        _unpacedSince = _loop.Time.GetTimestamp();
    }

    private void Pump()
    {
        var turn = Turn;
        int read;
        do
        {
            // No more at once than a full log may go beyond what it holds.
            read = Read(Math.Min(turn, NarrowPipe));
            turn -= read;
            if (_unpaced <= 0)
                _loop.Pacing.AnswersNoMore(this);
            if (read > 0 && !Flush())
                return;
        }
        while (_readable && read > 0 && turn > 0 && !(_draining && _left == 0));

        if (!_wide && Turn - turn >= NarrowPipe)
            Widen();
        if (_draining && (!_readable || _left == 0))
            End();
        else if (_readable)
            _loop.Post(this);
    }

    /// <summary>Reads what there is, at most so many bytes, into the writer's memory.</summary>
    /// <returns>How many bytes.</returns>
    private int Read(int most)
    {
        var rest = most;
        while (_readable && rest > 0 && !(_draining && _left == 0))
        {
            var memory = _writer.GetMemory().Span;
            var room = Math.Min(memory.Length, _draining ? Math.Min(rest, _left) : rest);
            var count = Libc.Read(_descriptor, memory[..room]);
            if (count > 0)
            {
                _writer.Advance(count);
                rest -= count;
                _unpaced -= count;
                _left -= _draining ? count : 0;
                // Less than there was room for is all that there was: the kernel tells of what comes after it, and to ask once more costs a call.
                _readable = count == room || _draining || _hungUp || WaitsForMore(count);
            }
            else if (count == Libc.WouldBlock || _terminal)
                _readable = false; // nobody has the terminal open now, but who belongs to it may open it again
            else
            {
                _readable = false;
                _draining = true;
            }
        }

        return most - rest;
    }

    /// <summary>For a program that prints faster than it is read: it can do more at once, and so can we.</summary>
    private void Widen()
    {
        _wide = true;
        Libc.WidenPipe(_descriptor, Turn);
    }

    /// <summary>Flushes.</summary>
    /// <returns>False where it is too early to go on.</returns>
    private bool Flush()
    {
        var flush = _writer.FlushAsync().ConfigureAwait(false).GetAwaiter();
        if (flush.IsCompleted)
            return Accept(flush.GetResult());
        if (Volatile.Read(ref _abandoned) && _draining)
            return true; // an earlier flush waits too, and what it continues with is us; nobody waits for this one
        _flush = flush;
        _flushing = true;
        Volatile.Write(ref _flushDone, false);
        flush.UnsafeOnCompleted(_flushed);
        return false;
    }

#pragma warning restore CA2012, VSTHRD002

    private bool Accept(FlushResult result)
    {
        if (!result.IsCompleted)
            return true;
        End(); // nobody will read any more
        return false;
    }

    private void OnFlushed()
    {
        Volatile.Write(ref _flushDone, true);
        _loop.Post(this);
    }

    private void End()
    {
        if (IsEnded)
            return;
        IsEnded = true;
        _loop.Pacing.AnswersNoMore(this);
        _writer.Complete();
        _ended();
    }
}
