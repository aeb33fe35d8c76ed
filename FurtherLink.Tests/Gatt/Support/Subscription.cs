using System.Threading.Channels;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>What one central hears of a characteristic: the daemon's queue for it, and the link behind that.</summary>
internal sealed class Subscription : IAsyncDisposable
{
    private readonly Channel<byte[]> _queue = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<byte[]> _heard = Channel.CreateUnbounded<byte[]>();
    private readonly CancellationTokenSource _ended = new();
    private readonly BluezFaults _faults;
    private readonly Task _link;
    private long _backlog;
    private long _backlogBytes;

    public Subscription(FakeCentral central, BluezFaults faults)
    {
        Central = central;
        _faults = faults;
        _link = CarryAsync();
    }

    public FakeCentral Central { get; }

    /// <summary>Notifications as they arrive; it ends with the subscription.</summary>
    public ChannelReader<byte[]> Notifications => _heard.Reader;

    /// <summary>Notifications that the daemon has taken and the link has not carried.</summary>
    public long Backlog => Interlocked.Read(ref _backlog);

    /// <summary>The bytes of them.</summary>
    public long BacklogBytes => Interlocked.Read(ref _backlogBytes);

    /// <summary>Takes a notification; never refuses one.</summary>
    public void Take(byte[] value)
    {
        Interlocked.Increment(ref _backlog);
        Interlocked.Add(ref _backlogBytes, value.Length);
        _queue.Writer.TryWrite(value);
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _link;
    }

    private async Task CarryAsync()
    {
        try
        {
            var random = new Random(_faults.Reorders ?? 0);
            var twice = new Random(_faults.Duplicates ?? 0);
            var waiting = new List<byte[]>();
            while (await MoreAsync(waiting))
            {
                await Central.Link.WaitAsync(_ended.Token);
                var next = _faults.Reorders is null ? 0 : random.Next(waiting.Count);
                var value = waiting[next];
                waiting.RemoveAt(next);
                Interlocked.Decrement(ref _backlog);
                Interlocked.Add(ref _backlogBytes, -value.Length);
                Hear(value);
                if (_faults.Duplicates is not null && twice.Next(4) == 0)
                    Hear(value);
            }
        }
        catch (OperationCanceledException)
        {
            // What is on its way is lost, as with a link that has gone.
        }
        finally
        {
            _heard.Writer.TryComplete();
        }
    }

    /// <summary>Fills the window of those that may overtake each other, as far as there are some.</summary>
    private async Task<bool> MoreAsync(List<byte[]> waiting)
    {
        var window = _faults.Reorders is null ? 1 : _faults.ReorderWindow;
        if (waiting.Count == 0)
        {
            if (!await _queue.Reader.WaitToReadAsync(_ended.Token))
                return false;
            // Others come soon, or none: so that those that come one by one overtake each other, too.
            if (window > 1)
                await Task.Delay(2, _ended.Token);
        }

        while (waiting.Count < window && _queue.Reader.TryRead(out var value))
            waiting.Add(value);
        return true;
    }

    private void Hear(byte[] value)
    {
        var most = Math.Min(Central.Mtu - (_faults.CutsNotifications ? 5 : 3), 512);
        _heard.Writer.TryWrite(value.Length <= most ? value : value[..most]);
    }
}
