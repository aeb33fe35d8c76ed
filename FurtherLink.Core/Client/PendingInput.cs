using System.Diagnostics.CodeAnalysis;
using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>
/// A session's input at the client: numbered, and kept until the program has taken it, so that it can be sent again after a lost connection.
/// Thread safe.
/// </summary>
/// <param name="send">Sends an input; called under the lock, in order, must not wait.</param>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A semaphore has nothing to dispose of while nobody asks for its handle.")]
internal sealed class PendingInput(Action<PendingInput.Piece> send)
{
    /// <summary>The longest piece, in bytes: typing gets through between two of them.</summary>
    public const int MaxPiece = 32 * 1024;

    private readonly Lock _lock = new();
    private readonly Queue<Piece> _pieces = [];
    private readonly SemaphoreSlim _turn = new(1, 1);
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _empty;
    private Exception? _fault;
    private long _last;
    private long _taken;
    private int _bytes;
    private bool _ended;
    private bool _completed;

    /// <summary>Bytes that may wait to be taken; half of what the server keeps for a program, so that it never has to refuse any.</summary>
    public int Capacity { get; set; } = 128 * 1024;

    /// <summary>Sends bytes; waits while too many have not been taken.</summary>
    /// <exception cref="LinkException">The program does not take input, or an earlier input was refused.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool end, CancellationToken cancellationToken)
    {
        // One writer's bytes stay together.
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            do
            {
                var piece = data[..Math.Min(data.Length, MaxPiece)];
                data = data[piece.Length..];
                while (!TrySend(piece, end && data.IsEmpty, out var room))
                    await room.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            while (!data.IsEmpty);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Waits until the program has taken all that was written.</summary>
    /// <exception cref="LinkException">An input was refused.</exception>
    public Task FlushAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_fault is not null)
                return Task.FromException(TakeFault());
            if (_pieces.Count == 0)
                return Task.CompletedTask;
            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _empty.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>The program has taken all inputs up to a number.</summary>
    public void Taken(long sequence)
    {
        lock (_lock)
        {
            while (_pieces.TryPeek(out var piece) && piece.Sequence <= sequence)
                _bytes -= _pieces.Dequeue().Data.Length;
            _taken = Math.Max(_taken, sequence);
            Wake();
        }
    }

    /// <summary>
    /// An input was refused, and with it all that was sent behind it; the answer says whether it may be sent again. What is sent before
    /// <see cref="Restart"/> would be refused too: nothing is.
    /// </summary>
    public void Refused(LinkException why)
    {
        lock (_lock)
        {
            IsPaused = true;
            if (why.Code == FailureCode.InputStalled)
                return;
            // An end that was refused has ended nothing.
            if (_pieces.Any(static piece => piece.End))
                _completed = _ended = false;
            Drop(why);
            _ended |= why.Code == FailureCode.InputClosed;
        }
    }

    /// <summary>Whether sending waits for <see cref="Restart"/>: an input was refused, or the connection is lost.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>The connection is lost: what was sent and not taken is sent again by <see cref="Restart"/>.</summary>
    public void Pause()
    {
        lock (_lock)
            IsPaused = true;
    }

    /// <summary>Goes on behind the last input that was taken: what is kept is sent again.</summary>
    /// <param name="taken">The number that the server says was taken last; null = as known.</param>
    public void Restart(long? taken)
    {
        lock (_lock)
        {
            if (taken is { } sequence)
                Taken(sequence);
            IsPaused = false;
            // What was dropped has given its numbers back.
            if (_pieces.Count == 0)
                _last = _taken;
            foreach (var piece in _pieces)
                send(piece);
            Wake();
        }
    }

    /// <summary>No more input is taken: the session has ended, or is lost.</summary>
    public void Close(Exception why)
    {
        lock (_lock)
        {
            _ended = true;
            Drop(why);
        }
    }

    private bool TrySend(ReadOnlyMemory<byte> data, bool end, out Task room)
    {
        lock (_lock)
        {
            room = Task.CompletedTask;

            // It has been told that it ends: there is nothing to add.
            if (_completed && end && data.IsEmpty)
                return true;
            if (_fault is not null)
                throw TakeFault();
            if (_ended)
                throw new LinkException(FailureCode.InputClosed, "the program's input has ended");
            if (IsPaused || (_bytes > 0 && _bytes + data.Length > Capacity))
            {
                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _room.Task;
                return false;
            }

            var piece = new Piece(++_last, data.ToArray(), end);
            _bytes += data.Length;
            _ended |= end;
            _completed |= end;
            _pieces.Enqueue(piece);
            send(piece);
            return true;
        }
    }

    private void Drop(Exception why)
    {
        _fault = why;
        _pieces.Clear();
        _bytes = 0;
        _empty?.TrySetException(TakeFault());
        _empty = null;
        Wake();
    }

    // Told once where it can go on afterwards, else always.
    private Exception TakeFault()
    {
        var fault = _fault!;
        if (!_ended)
            _fault = null;
        return fault;
    }

    private void Wake()
    {
        if (_pieces.Count == 0)
        {
            _empty?.TrySetResult();
            _empty = null;
        }

        if (IsPaused && _fault is null)
            return;
        _room?.TrySetResult();
        _room = null;
    }

    /// <summary>An input.</summary>
    /// <param name="Sequence">Its number.</param>
    /// <param name="Data">The bytes.</param>
    /// <param name="End">The input ends behind them.</param>
    internal sealed record Piece(long Sequence, ReadOnlyMemory<byte> Data, bool End);
}
