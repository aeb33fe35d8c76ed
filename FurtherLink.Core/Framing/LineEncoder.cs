using System.Buffers;
using System.Runtime.CompilerServices;
using FurtherLink.Codecs;

namespace FurtherLink.Framing;

/// <summary>
/// Makes lines of text frames and writes them, many short ones at once and a long one in pieces. A buffer is held between the first
/// <see cref="AddAsync"/> and <see cref="FlushAsync"/> only. Used by one thread at a time.
/// </summary>
/// <param name="output">Where they go.</param>
/// <param name="cancellationToken">Breaks a write that waits.</param>
internal sealed class LineEncoder(Stream output, CancellationToken cancellationToken)
{
    // Of 64 KiB of output with its JSON around it mostly one.
    private const int BufferSize = 128 * 1024;

    private byte[] _buffer = [];
    private int _filled;
    private long _whole;

    /// <summary>Bytes of all frames that were written whole, their headers included.</summary>
    public long Sent { get; private set; }

    /// <summary>Adds the line of a text frame; writes where the buffer is full.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask AddAsync(Frame frame)
    {
        foreach (var segment in frame.Body)
        {
            for (var at = 0; at < segment.Length;)
            {
                await MakeRoomAsync().ConfigureAwait(false);
                at += Copy(segment.Span[at..]);
            }
        }
        await MakeRoomAsync().ConfigureAwait(false);
        _buffer[_filled++] = (byte)'\n';
        _whole += Frames.HeaderSize + frame.Body.Length;
    }

    /// <summary>Writes what has been added.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FlushAsync()
    {
        await WriteAsync().ConfigureAwait(false);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        Release();
    }

    /// <summary>Lets the buffer go, and what is in it.</summary>
    public void Release()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _filled = 0;
    }

    private int Copy(ReadOnlySpan<byte> bytes)
    {
        var room = _buffer.AsSpan(_filled);
        if (bytes.Length > room.Length)
            bytes = bytes[..room.Length];
        // Copied with nothing in it that ends a line.
        bytes.Replace(room, (byte)'\n', (byte)' ');
        _filled += bytes.Length;
        return bytes.Length;
    }

    private ValueTask MakeRoomAsync()
    {
        if (_buffer.Length == 0)
            _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        return _filled < _buffer.Length ? ValueTask.CompletedTask : WriteAsync();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteAsync()
    {
        await output.WriteAsync(_buffer.AsMemory(0, _filled), cancellationToken).ConfigureAwait(false);
        _filled = 0;
        Sent += _whole;
        _whole = 0;
    }
}
