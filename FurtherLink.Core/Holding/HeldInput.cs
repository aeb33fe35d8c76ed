using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using FurtherLink.Messages;

namespace FurtherLink.Holding;

/// <summary>
/// Input on its way to a held program. Every input has a number, so that the holder takes each once: the client's own, or one of this process.
/// Thread safe.
/// </summary>
/// <param name="capacity">Bytes of input without a client's number that may be under way before a write waits.</param>
/// <param name="send">Sends an input; must not wait.</param>
internal sealed class HeldInput(int capacity, Action<long, InputMark, bool, ReadOnlySequence<byte>> send)
{
    // Whoever follows later is somebody else, with numbers of its own.
    private readonly string _own = $"server-{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
    private readonly Lock _lock = new();
    private readonly Dictionary<long, Pending> _pending = [];
    private LinkException? _closed;
    private long _lastReference;
    private long _ownSequence;
    private long _ownBytes;

    /// <summary>Sends an input; the bytes are taken before it returns.</summary>
    /// <returns>As of <see cref="Sessions.ISession.WriteAsync"/>.</returns>
    public ValueTask WriteAsync(in ReadOnlySequence<byte> input, InputOptions options)
    {
        lock (_lock)
        {
            if (_closed is { } closed)
                return ValueTask.FromException(closed);
            var isOwn = options.Mark is null;
            var pending = new Pending(options.Mark ?? new InputMark(_own, ++_ownSequence), isOwn ? input.Length : 0, isOwn);
            var reference = ++_lastReference;
            _pending[reference] = pending;
            _ownBytes += pending.Length;
            send(reference, pending.Mark, options.End, input);
            return isOwn && _ownBytes <= capacity ? ValueTask.CompletedTask : new ValueTask(pending.Done.Task);
        }
    }

    /// <summary>The program has taken an input.</summary>
    public void OnTaken(string? reference)
    {
        if (Take(reference) is { } pending)
            pending.Done.TrySetResult();
    }

    /// <summary>An input was refused, and what came behind it with it.</summary>
    /// <returns>False where it was no input.</returns>
    public bool OnFailed(string? reference, LinkException why)
    {
        if (Take(reference) is not { } pending)
            return false;
        lock (_lock)
        {
            if (why.Code is FailureCode.InputClosed)
                _closed = why;
            // The next one takes its number; what was sent behind it is refused as well.
            if (pending.IsOwn)
                _ownSequence = Math.Min(_ownSequence, pending.Mark.Sequence - 1);
        }

        pending.Done.TrySetException(why);
        return true;
    }

    /// <summary>The program takes nothing any more.</summary>
    public void Close(LinkException why)
    {
        Pending[] pending;
        lock (_lock)
        {
            _closed ??= why;
            pending = [.. _pending.Values];
            _pending.Clear();
        }

        foreach (var one in pending)
            one.Done.TrySetException(why);
    }

    private Pending? Take(string? reference)
    {
        lock (_lock)
        {
            if (!long.TryParse(reference, CultureInfo.InvariantCulture, out var number) || !_pending.Remove(number, out var pending))
                return null;
            _ownBytes -= pending.Length;
            return pending;
        }
    }

    private sealed record Pending(InputMark Mark, long Length, bool IsOwn)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
