using System.Security.Cryptography;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>The transfers by their id: few, each used by one request at a time, and given up when none comes for a while. Thread safe.</summary>
internal sealed class TransferTable : IDisposable
{
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(30);

    private readonly int _mostUnderWay;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Slot> _slots = [];
    private bool _disposed;

    /// <summary>An empty one.</summary>
    /// <param name="mostUnderWay">Transfers that may be under way at once. Four times as many that are over are remembered.</param>
    /// <param name="time">The clock.</param>
    public TransferTable(int mostUnderWay, TimeProvider time)
    {
        _mostUnderWay = mostUnderWay;
        _time = time;
        _timer = time.CreateTimer(static state => ((TransferTable)state!).Sweep(), this, SweepPeriod, SweepPeriod);
    }

    /// <summary>Takes a transfer for a request, or room for a new one: it has none then, and is forgotten unless it gets one.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="token">The hash of its token.</param>
    /// <param name="idle">How long a new one waits for requests.</param>
    /// <param name="cancellationToken">Ends the wait for another request.</param>
    /// <exception cref="LinkException">It has another token, or too many are under way.</exception>
    public ValueTask<TransferLease> OpenAsync(Guid id, byte[] token, TimeSpan idle, CancellationToken cancellationToken)
    {
        Slot? slot;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_slots.TryGetValue(id, out slot))
            {
                if (_slots.Values.Count(static other => other.Transfer is not { IsOver: true }) >= _mostUnderWay)
                    throw new LinkException(FailureCode.Limited, $"{_mostUnderWay} transfers are under way: try again when one of them is complete");
                ForgetOldest();
                slot = new Slot(token, idle);
                _slots[id] = slot;
            }
        }

        return TakeAsync(id, slot, token, cancellationToken);
    }

    /// <summary>Takes a transfer for a request.</summary>
    /// <exception cref="LinkException">There is none, or it has another token.</exception>
    public async ValueTask<TransferLease> FindAsync(Guid id, byte[] token, CancellationToken cancellationToken)
    {
        Slot? slot;
        lock (_lock)
            slot = _slots.GetValueOrDefault(id);
        if (slot is null)
            throw Unknown(id);
        var lease = await TakeAsync(id, slot, token, cancellationToken).ConfigureAwait(false);
        if (lease.Transfer is not null)
            return lease;
        lease.Dispose();
        throw Unknown(id);
    }

    /// <summary>Gives up all of them.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            _disposed = true;
            foreach (var (id, slot) in _slots.ToArray())
                TryEnd(id, slot);
        }
    }

    /// <summary>Gives a transfer back after a request.</summary>
    internal void Return(Guid id, Slot slot, Transfer? transfer)
    {
        lock (_lock)
        {
            slot.Transfer = transfer;
            slot.Touched = _time.GetTimestamp();
            if (transfer is null || _disposed)
                End(id, slot);
        }

        slot.Gate.Release();
    }

    private async ValueTask<TransferLease> TakeAsync(Guid id, Slot slot, byte[] token, CancellationToken cancellationToken)
    {
        if (!CryptographicOperations.FixedTimeEquals(slot.Token, token))
            throw new LinkException(FailureCode.Denied, $"authorization_token parameter is not that of transfer {id}");
        await slot.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            if (!slot.Ended)
            {
                slot.Touched = _time.GetTimestamp();
                return new TransferLease(this, id, slot, _time.GetUtcNow() + slot.Idle);
            }
        }

        slot.Gate.Release();
        throw Unknown(id);
    }

    private void ForgetOldest()
    {
        var over = _slots.Where(static pair => pair.Value.Transfer is { IsOver: true }).OrderBy(static pair => pair.Value.Touched).ToList();
        foreach (var (id, slot) in over.Take(over.Count - (4 * _mostUnderWay) + 1))
            TryEnd(id, slot);
    }

    private void Sweep()
    {
        lock (_lock)
        {
            foreach (var (id, slot) in _slots.ToArray())
            {
                if (_time.GetElapsedTime(slot.Touched) >= slot.Idle)
                    TryEnd(id, slot);
            }
        }
    }

    /// <summary>Ends one that no request uses; one in use is not idle, and is ended when it comes back.</summary>
    private void TryEnd(Guid id, Slot slot)
    {
        if (!slot.Gate.Wait(0))
            return;
        End(id, slot);
        slot.Gate.Release();
    }

    private void End(Guid id, Slot slot)
    {
        slot.Ended = true;
        slot.Transfer?.Dispose();
        _ = _slots.Remove(id);
    }

    private static LinkException Unknown(Guid id) => new(FailureCode.NotFound, $"Transfer not found: {id}; it may have expired");

    /// <summary>The place of one transfer.</summary>
    internal sealed class Slot(byte[] token, TimeSpan idle)
    {
        public byte[] Token { get; } = token;

        public TimeSpan Idle { get; } = idle;

        public SemaphoreSlim Gate { get; } = new(1);

        public Transfer? Transfer { get; set; }

        public long Touched { get; set; }

        public bool Ended { get; set; }
    }
}

/// <summary>A transfer while one request uses it. Disposing gives it back.</summary>
internal sealed class TransferLease(TransferTable table, Guid id, TransferTable.Slot slot, DateTimeOffset expiresAt) : IDisposable
{
    /// <summary>The transfer; null where there is none yet.</summary>
    public Transfer? Transfer { get; set; } = slot.Transfer;

    /// <summary>When it is given up unless another request comes.</summary>
    public DateTimeOffset ExpiresAt { get; } = expiresAt;

    /// <inheritdoc />
    public void Dispose() => table.Return(id, slot, Transfer);
}
