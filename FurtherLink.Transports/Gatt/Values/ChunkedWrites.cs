using FurtherLink.Transports.Gatt.Bluez;
using FurtherLink.Transports.Gatt.Chunks;

namespace FurtherLink.Transports.Gatt.Values;

/// <summary>Puts together what devices write in chunks, each device for itself. Used on the bus's thread.</summary>
/// <param name="maxMessage">The longest message that is accepted, in bytes.</param>
/// <param name="time">The clock.</param>
/// <param name="taken">Called with each whole message, whose bytes are the callee's; completes when the device may write on.</param>
internal sealed class ChunkedWrites(int maxMessage, TimeProvider time, Func<Central, ReadOnlyMemory<byte>, ValueTask> taken)
{
    // Devices that are connected at once are few; one more and the one that wrote longest ago loses what it has half written.
    private const int MaxDevices = 64;
    private const int Slack = 64 * 1024;

    private readonly Dictionary<string, Half> _halves = new(StringComparer.Ordinal);
    private long _turn;

    /// <summary>Takes a chunk.</summary>
    /// <exception cref="BluezException">It is none.</exception>
    public ValueTask WriteAsync(Central central, ReadOnlyMemory<byte> chunk)
    {
        if (!_halves.TryGetValue(central.Device, out var half))
            _halves.Add(central.Device, half = Begin());
        half.Turn = ++_turn;
        try
        {
            return half.Assembler.TryAdd(chunk.Span, out var message) ? taken(central, message) : ValueTask.CompletedTask;
        }
        catch (ChunkException e)
        {
            var error = chunk.Length is < ChunkHeader.Size or > ChunkedMessage.MaxChunk ? BluezNames.Errors.InvalidValueLength : BluezNames.Errors.Failed;
            throw new BluezException(error, e.Message);
        }
    }

    /// <summary>A device has gone: what it has half written is nothing.</summary>
    public void Forget(string device) => _halves.Remove(device);

    private Half Begin()
    {
        if (_halves.Count == MaxDevices)
            _halves.Remove(_halves.MinBy(static half => half.Value.Turn).Key);
        // A buffer that grows by doubling holds up to twice its message.
        return new Half(new ChunkAssembler(maxMessage, (int)Math.Min(int.MaxValue, (2L * maxMessage) + Slack), time));
    }

    private sealed class Half(ChunkAssembler assembler)
    {
        public ChunkAssembler Assembler { get; } = assembler;

        public long Turn { get; set; }
    }
}
