using System.Buffers;
using System.IO.Pipelines;
using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>
/// A session's output at the client: two pipes, and how far both have been read without a gap, which is what is acknowledged. It is received by
/// one thread at a time; the pipes are read by any.
/// </summary>
internal sealed class ReceivedOutput
{
    // What is kept for a reader after the end was asked for: far more than a server keeps of output in memory by default (1 MiB).
    private const long MaxUnread = 16 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Queue<Piece> _pieces = [];
    private readonly Pipe _out = NewPipe();
    private readonly Pipe _error = NewPipe();
    private readonly int _window;
    private readonly Action<long> _acknowledge;
    private long _readOut;
    private long _readError;
    private long _gotOut;
    private long _gotError;
    private long _released;
    private long _acknowledged;
    private bool _isOutClosed;
    private bool _isErrorClosed;
    private volatile bool _isDiscarded;
    private volatile bool _isHurried;

    /// <summary>Makes it.</summary>
    /// <param name="from">The offset of the first byte that will come.</param>
    /// <param name="window">Bytes that may be here and not read: as many as the server sends unacknowledged.</param>
    /// <param name="acknowledge">Called with an offset below which all has been read; must not wait.</param>
    public ReceivedOutput(long from, int window, Action<long> acknowledge)
    {
        From = Next = _released = _acknowledged = from;
        _window = window;
        _acknowledge = acknowledge;
        Out = new CountedReader(_out.Reader, bytes => Read(OutputKind.Out, bytes), () => CloseReader(OutputKind.Out));
        Error = new CountedReader(_error.Reader, bytes => Read(OutputKind.Error, bytes), () => CloseReader(OutputKind.Error));
    }

    /// <summary>Standard output, or everything of a terminal.</summary>
    public PipeReader Out { get; }

    /// <summary>Standard error.</summary>
    public PipeReader Error { get; }

    /// <summary>The offset of the first byte.</summary>
    public long From { get; }

    /// <summary>The offset of the byte that comes next: where to go on after a lost connection.</summary>
    public long Next { get; private set; }

    /// <summary>Bytes that will never come.</summary>
    public long Missed { get; private set; }

    /// <summary>Takes a piece; what is here already is passed over.</summary>
    public void Receive(Output output)
    {
        if (output.Next <= Next)
            return;
        Skip(output.Offset);
        if (_isDiscarded)
        {
            Next = output.Next;
            _acknowledge(Next);
            return;
        }

        var data = output.Data[(int)(Next - output.Offset)..].Span;
        var pipe = output.Kind == OutputKind.Error ? _error : _out;
        bool isClosed;
        lock (_lock)
        {
            isClosed = output.Kind == OutputKind.Error ? _isErrorClosed : _isOutClosed;
            var end = output.Kind == OutputKind.Error ? _gotError += data.Length : _gotOut += data.Length;
            _pieces.Enqueue(new Piece(output.Kind, end, Next, output.Next));
            Next = output.Next;
        }

        if (isClosed)
        {
            Read(output.Kind, data.Length);
            return;
        }

        pipe.Writer.Write(data);
        Demand(pipe.Writer.FlushAsync());
        if (_isHurried)
            AcknowledgeUnread();
    }

    /// <summary>Goes on at an offset: what lies before it will not come.</summary>
    public void Skip(long to)
    {
        if (to <= Next)
            return;
        lock (_lock)
        {
            Missed += to - Next;
            Next = to;
            if (_pieces.Count == 0)
                _released = to;
        }
    }

    /// <summary>Nobody reads any more: what is here and what comes counts as read.</summary>
    public void Discard()
    {
        _isDiscarded = true;
        _acknowledge(Next);
    }

    /// <summary>
    /// The end is near, and nobody is to wait for it until readers have read: what comes is acknowledged as it comes, and kept for them, unless that is
    /// more than <see cref="MaxUnread"/>.
    /// </summary>
    public void Hurry()
    {
        _isHurried = true;
        AcknowledgeUnread();
    }

    /// <summary>No more will come.</summary>
    /// <param name="exception">Why, where that is no end; null = it is.</param>
    public void Complete(Exception? exception)
    {
        _out.Writer.Complete(exception);
        _error.Writer.Complete(exception);
    }

    private static Pipe NewPipe() => new(new PipeOptions(
        pauseWriterThreshold: 0, readerScheduler: PipeScheduler.ThreadPool, useSynchronizationContext: false));

    // Never waits: the window bounds what is in the pipe, and the pipe has no bound of its own.
    private static void Demand(ValueTask<FlushResult> flush)
    {
        if (!flush.IsCompleted)
            throw new InvalidOperationException("The pipe is full.");
    }

    private void Read(OutputKind kind, long bytes)
    {
        long offset;
        lock (_lock)
        {
            if (kind == OutputKind.Error)
                _readError += bytes;
            else
                _readOut += bytes;
            while (_pieces.TryPeek(out var piece) && ReadOf(piece.Kind) >= piece.End)
            {
                _pieces.Dequeue();
                _released = piece.Next;
            }

            // Of a piece that is half read, the half.
            if (_pieces.TryPeek(out var front))
                _released = Math.Max(_released, front.Next - (front.End - Math.Max(ReadOf(front.Kind), front.End - (front.Next - front.Offset))));
            else
                _released = Next;

            if (_isDiscarded)
                return;

            // A quarter: often enough that the server never waits for it, and rarely enough that it costs nothing.
            if (_released - _acknowledged < _window / 4)
                return;
            offset = _acknowledged = _released;
        }

        _acknowledge(offset);
    }

    /// <summary>A stream is read no more: what has come of it, and what comes, counts as read.</summary>
    private void CloseReader(OutputKind kind)
    {
        long unread;
        lock (_lock)
        {
            if (kind == OutputKind.Error)
                (unread, _isErrorClosed) = (_gotError - _readError, true);
            else
                (unread, _isOutClosed) = (_gotOut - _readOut, true);
        }

        Read(kind, unread);
    }

    private void AcknowledgeUnread()
    {
        long offset;
        lock (_lock)
        {
            if (_isDiscarded || Next <= _acknowledged || _gotOut - _readOut + _gotError - _readError > MaxUnread)
                return;
            offset = _acknowledged = Next;
        }

        _acknowledge(offset);
    }

    private long ReadOf(OutputKind kind) => kind == OutputKind.Error ? _readError : _readOut;

    private readonly record struct Piece(OutputKind Kind, long End, long Offset, long Next);
}
