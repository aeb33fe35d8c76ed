namespace FurtherLink.Framing;

/// <summary>A number of bytes per second: what is taken beyond it is paid back by waiting. Thread safe.</summary>
public sealed class TokenBucket
{
    // What may go at once after a pause: a quarter of a second's worth.
    private const double Burst = 0.25;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private double _tokens;
    private long _at;

    /// <summary>Makes a full one.</summary>
    /// <param name="rate">Bytes per second, at least 1.</param>
    /// <param name="time">The clock.</param>
    public TokenBucket(long rate, TimeProvider time)
    {
        Rate = rate;
        _time = time;
        _tokens = rate * Burst;
        _at = time.GetTimestamp();
    }

    /// <summary>Bytes per second.</summary>
    public long Rate { get; }

    /// <summary>What to send at once so that it flows: a tenth of a second's worth.</summary>
    public int Piece => (int)Math.Clamp(Rate / 10, 512, int.MaxValue);

    /// <summary>How long to wait before more may be sent; zero = none.</summary>
    public TimeSpan Wait
    {
        get
        {
            lock (_lock)
            {
                Refill();
                return _tokens > 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((1 - _tokens) / Rate);
            }
        }
    }

    /// <summary>Bytes have been sent.</summary>
    public void Take(long bytes)
    {
        lock (_lock)
        {
            Refill();
            _tokens -= bytes;
        }
    }

    private void Refill()
    {
        var now = _time.GetTimestamp();
        _tokens = Math.Min(Rate * Burst, _tokens + (_time.GetElapsedTime(_at, now).TotalSeconds * Rate));
        _at = now;
    }
}
