using System.Buffers;
using FurtherLink.Messages;
using FurtherLink.Terminals;

namespace FurtherLink.Sessions;

/// <summary>
/// What a session's terminal shows: a reader of its log that works in batches, so that who types is not slowed down. Thread safe.
/// </summary>
public sealed class SessionScreen : IThreadPoolWorkItem, IDisposable
{
    // One batch is parsed in about half a millisecond.
    private const int Batch = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly OutputReader _reader;
    private readonly TerminalScreen _screen;
    private long _known; // what lies below it is on the screen already
    private bool _disposed;

    /// <summary>Begins with an empty screen at the log's oldest byte.</summary>
    /// <param name="output">The session's log.</param>
    /// <param name="size">The terminal's size.</param>
    internal SessionScreen(OutputLog output, TerminalSize size)
    {
        _screen = new TerminalScreen(size);
        _reader = output.Attach(new ReaderOptions
        {
            From = output.Start,
            // Half a character is nobody's screen.
            Text = true,
            WakeAfter = Batch,
            OnOutput = _ => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false),
        });
        Follow();
    }

    /// <summary>
    /// Takes what the screen shows now. The log keeps what follows until <paramref name="attach"/> has returned, so that a reader attached in it
    /// at the offset misses nothing.
    /// </summary>
    /// <param name="attach">Called with the offset behind the last byte that the screen knows of; it must not wait.</param>
    /// <returns>What brings a terminal that was reset, of the session's size, to the same; UTF-8 with control sequences.</returns>
    public ReadOnlyMemory<byte> Capture(Action<long>? attach = null)
    {
        lock (_lock)
        {
            CatchUp();
            attach?.Invoke(Math.Max(_reader.Position, _known));
            var snapshot = new ArrayBufferWriter<byte>();
            _screen.WriteSnapshot(snapshot);
            return snapshot.WrittenMemory;
        }
    }

    /// <summary>The terminal has another size from now on.</summary>
    internal void Resize(TerminalSize size)
    {
        lock (_lock)
        {
            CatchUp();
            _screen.Resize(size);
        }
    }

    /// <summary>Puts a screen in that another process has captured, in place of all that the log has below an offset or will have.</summary>
    internal void Restore(ReadOnlySpan<byte> snapshot, long offset)
    {
        lock (_lock)
        {
            _known = offset;
            _screen.Write(snapshot);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _reader.Dispose();
        }
    }

    void IThreadPoolWorkItem.Execute() => Follow();

    private void Follow()
    {
        lock (_lock)
            CatchUp();
    }

    // Until nothing is left: then the reader waits again.
    private void CatchUp()
    {
        while (!_disposed && _reader.TryRead(Batch, out var chunk) && chunk.Exit is null)
        {
            if (chunk.Next > _known)
                _screen.Write(chunk.Data.Span[^(int)Math.Min(chunk.Data.Length, chunk.Next - _known)..]);
            _reader.Release(chunk.Next);
        }
    }
}
