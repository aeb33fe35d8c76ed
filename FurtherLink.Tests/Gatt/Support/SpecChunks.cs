namespace FurtherLink.Tests.Gatt.Support;

/// <summary>
/// The chunks of the existing server's Bluetooth protocol, written anew from its description, so that a fault of the library's is not made here as well:
/// message id (2 bytes), index of the last chunk (3), index of this one (3), all little-endian, then at most 504 bytes.
/// </summary>
internal static class SpecChunks
{
    public const int HeaderSize = 8;

    /// <summary>Cuts a message up; its count of chunks is its length / what one holds + 1.</summary>
    public static List<byte[]> Cut(int id, byte[] message, int chunkSize = 512)
    {
        var payload = chunkSize - HeaderSize;
        var last = message.Length / payload;
        return [.. Enumerable.Range(0, last + 1).Select(index => Make(id, last, index, [.. message.Skip(index * payload).Take(payload)]))];
    }

    /// <summary>One chunk, whatever its numbers.</summary>
    public static byte[] Make(int id, int last, int index, byte[] payload) =>
    [
        (byte)(id % 256), (byte)(id / 256),
        (byte)(last % 256), (byte)(last / 256 % 256), (byte)(last / 65536),
        (byte)(index % 256), (byte)(index / 256 % 256), (byte)(index / 65536),
        .. payload,
    ];

    /// <summary>Takes one apart.</summary>
    public static (int Id, int Last, int Index, byte[] Payload) Split(byte[] chunk)
    {
        Assert.That(chunk, Has.Length.GreaterThanOrEqualTo(HeaderSize), "a chunk has a header");
        var (id, last, index) = (chunk[0] + (256 * chunk[1]), chunk[2] + (256 * chunk[3]) + (65536 * chunk[4]), chunk[5] + (256 * chunk[6]) + (65536 * chunk[7]));
        Assert.That(index, Is.LessThanOrEqualTo(last), "the index of a chunk");
        return (id, last, index, chunk[HeaderSize..]);
    }
}

/// <summary>Puts messages together from <see cref="SpecChunks"/>, which may come in any order and more than once.</summary>
internal sealed class SpecAssembler
{
    // As many messages as a link may have mixed up; an id means another message after that.
    private const int Remembered = 64;

    private readonly Dictionary<int, SortedDictionary<int, byte[]>> _halves = [];
    private readonly Queue<int> _whole = [];

    /// <summary>Messages of which some chunks have come.</summary>
    public int Halves => _halves.Count;

    /// <summary>Takes a chunk; the message that it completes, once.</summary>
    public (int Id, byte[] Message)? Add(byte[] chunk)
    {
        var (id, last, index, payload) = SpecChunks.Split(chunk);
        if (_whole.Contains(id))
            return null;
        if (!_halves.TryGetValue(id, out var half))
            _halves[id] = half = [];
        half[index] = payload;
        if (half.Count != last + 1)
            return null;
        _halves.Remove(id);
        _whole.Enqueue(id);
        if (_whole.Count > Remembered)
            _whole.Dequeue();
        return (id, [.. half.Values.SelectMany(static one => one)]);
    }
}
