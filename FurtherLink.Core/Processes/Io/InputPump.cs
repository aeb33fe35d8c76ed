using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.Versioning;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Io;

/// <summary>
/// Carries input to a program. What is flushed while nothing waits is written on the flusher's own thread; the rest when the program reads,
/// on the loop.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class InputPump : IDescriptorHandler
{
    // Longer input comes from a program, or was pasted.
    private const int TypedAtMost = 256;

    private readonly Descriptor _descriptor;
    private readonly bool _terminal;
    private readonly Action<long>? _taken;
    private readonly Action _ended;
    private readonly Action<bool>? _watchRoom;
    private readonly Action _typed;
    private readonly Pipe _pipe;
    private readonly LoopSignal _writable = new();
    private long _total;
    private byte? _last;
    private string? _closed; // why, from the moment that nothing can be written any more
    private Task? _running;

    /// <summary>Makes a pump, which waits for <see cref="Start"/>.</summary>
    /// <param name="descriptor">Where to write; not blocking. Closing it stays its owner's.</param>
    /// <param name="terminal">Whether it is the master of a terminal.</param>
    /// <param name="capacity">Bytes that may wait before a flush does.</param>
    /// <param name="taken">Called with the bytes written so far; null = nobody wants to know.</param>
    /// <param name="ended">Called once when nothing more will be written; any thread.</param>
    /// <param name="typed">Called before input is written that a person may have typed.</param>
    /// <param name="watchRoom">Called when it begins and ends to wait for room, of which it is told by <see cref="OnReady"/>; null = it is always told.</param>
    public InputPump(Descriptor descriptor, bool terminal, int capacity, Action<long>? taken, Action ended, Action typed, Action<bool>? watchRoom = null)
    {
        _typed = typed;
        _watchRoom = watchRoom;
        _descriptor = descriptor;
        _terminal = terminal;
        _taken = taken;
        _ended = ended;
        _pipe = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.ThreadPool,
            pauseWriterThreshold: capacity, resumeWriterThreshold: capacity / 2, useSynchronizationContext: false));
    }

    /// <summary>Where input is put in.</summary>
    public PipeWriter Writer => _pipe.Writer;

    /// <summary>Begins.</summary>
    public void Start() => _running = RunAsync();

    /// <summary>Nothing is written any more: the program has ended. Any thread.</summary>
    /// <returns>Completes when the descriptor is not used any more.</returns>
    public Task CloseAsync()
    {
        Close("the program has ended");
        return _running!;
    }

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        // The reading end of a pipe was closed. A terminal that nobody has open now may be opened again.
        if ((events & Libc.EpollError) != 0 && !_terminal)
            Close("the program has closed its input");
        else if ((events & (Libc.EpollOut | Libc.EpollHangUp)) != 0)
            _writable.Set();
    }

    private void Close(string reason)
    {
        if (Interlocked.CompareExchange(ref _closed, reason, null) is not null)
            return;
        _writable.Set();
        _pipe.Reader.CancelPendingRead();
    }

    private async Task RunAsync()
    {
        try
        {
            while (Volatile.Read(ref _closed) is null)
            {
                var result = await _pipe.Reader.ReadAsync().ConfigureAwait(false);
                if (result.Buffer.Length is > 0 and <= TypedAtMost)
                    _typed();
                var rest = Write(result.Buffer);
                var written = result.Buffer.Length - rest.Length;
                _pipe.Reader.AdvanceTo(rest.Start);
                if (written > 0)
                    _taken?.Invoke(_total += written);
                if (!rest.IsEmpty)
                    await WaitForRoomAsync().ConfigureAwait(false);
                else if (result.IsCompleted)
                {
                    await WriteEndAsync().ConfigureAwait(false);
                    break;
                }
            }
        }
        catch (IOException e)
        {
            _closed ??= e.Message;
        }
        finally
        {
            _ended();
            await _pipe.Reader.CompleteAsync(Volatile.Read(ref _closed) is { } reason ? new IOException(reason) : null).ConfigureAwait(false);
        }
    }

    private async ValueTask WaitForRoomAsync()
    {
        _watchRoom?.Invoke(true);
        await _writable.WaitAsync().ConfigureAwait(false);
        _watchRoom?.Invoke(false);
    }

    /// <summary>Writes what there is room for.</summary>
    /// <returns>The rest.</returns>
    private ReadOnlySequence<byte> Write(ReadOnlySequence<byte> buffer)
    {
        while (!buffer.IsEmpty && Volatile.Read(ref _closed) is null)
        {
            var count = Libc.Write(_descriptor, buffer.FirstSpan);
            if (count == Libc.WouldBlock)
                break;
            if (count == Libc.OtherEndClosed)
                throw new IOException("the program has closed its input");
            _last = buffer.FirstSpan[count - 1];
            buffer = buffer.Slice(count);
        }

        return buffer;
    }

    /// <summary>Ends the input of a terminal as a person would; that of a pipe ends when it is closed.</summary>
    private async ValueTask WriteEndAsync()
    {
        if (!_terminal || Libc.EndOfFileCharacter(_descriptor) is not { } end)
            return;
        // After an unfinished line the character only hands that line over; the second one is the end.
        var unfinished = _last is { } last and not ((byte)'\n' or (byte)'\r') && last != end;
        byte[] characters = unfinished ? [end, end] : [end];
        for (var rest = characters.AsMemory(); !rest.IsEmpty && Volatile.Read(ref _closed) is null;)
        {
            var count = Libc.Write(_descriptor, rest.Span);
            if (count == Libc.OtherEndClosed)
                break;
            if (count == Libc.WouldBlock)
                await WaitForRoomAsync().ConfigureAwait(false);
            else
                rest = rest[count..];
        }
    }
}
