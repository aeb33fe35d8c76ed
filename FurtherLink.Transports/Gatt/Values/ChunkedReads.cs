using System.Buffers;
using FurtherLink.Transports.Gatt.Bluez;
using FurtherLink.Transports.Gatt.Chunks;

namespace FurtherLink.Transports.Gatt.Values;

/// <summary>
/// Gives a text to who reads it again and again: the first read of a device gives its first chunk, each further one the next, and behind the last it
/// begins anew, with what the text is then. Used on the bus's thread.
/// </summary>
/// <param name="read">What the text is now, for a device.</param>
internal sealed class ChunkedReads(Func<string, ReadOnlyMemory<byte>> read)
{
    // Devices in the midst of a text; one more and the one that read longest ago begins anew.
    private const int MaxDevices = 64;

    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);
    private ushort _lastMessage;
    private long _turn;

    /// <summary>Reads a chunk, or the rest of the one read last.</summary>
    /// <exception cref="BluezException">The chunk is shorter.</exception>
    public ReadOnlyMemory<byte> Read(Central central)
    {
        if (!_places.TryGetValue(central.Device, out var place))
            place = Begin(central.Device);
        else if (central.Offset == 0)
            place.Next(this);
        place.Turn = ++_turn;
        return central.Offset <= place.Chunk.Length
            ? place.Chunk[central.Offset..]
            : throw new BluezException(BluezNames.Errors.InvalidOffset, $"the value has {place.Chunk.Length} bytes");
    }

    /// <summary>A device has gone.</summary>
    public void Forget(string device) => _places.Remove(device);

    private Place Begin(string device)
    {
        if (_places.Count == MaxDevices)
            _places.Remove(_places.MinBy(static place => place.Value.Turn).Key);
        var place = new Place(device);
        _places.Add(device, place);
        place.Next(this);
        return place;
    }

    /// <summary>How far a device has read.</summary>
    private sealed class Place(string device)
    {
        private ChunkedMessage _message;
        private int _count;
        private int _next;

        public ReadOnlyMemory<byte> Chunk { get; private set; }

        public long Turn { get; set; }

        public void Next(ChunkedReads reads)
        {
            if (_next == _count)
            {
                _message = new ChunkedMessage(++reads._lastMessage, new ReadOnlySequence<byte>(reads.Read(device)), ChunkedMessage.MaxChunk);
                _count = _message.Count;
                _next = 0;
            }

            var chunk = new byte[ChunkedMessage.MaxChunk];
            Chunk = chunk.AsMemory(0, _message.Write(_next++, chunk));
        }
    }

    private ReadOnlyMemory<byte> Read(string device) => read(device);
}
