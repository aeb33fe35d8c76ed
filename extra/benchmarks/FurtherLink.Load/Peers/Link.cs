using System.Net.Sockets;
using System.Security.Cryptography;

namespace FurtherLink.Load.Peers;

/// <summary>
/// A connection with one program, by blocking calls on one thread, as light as it can be: what is measured is the server.
/// This one has nothing around what goes through it; others have frames.
/// </summary>
internal class Link(Socket socket) : IDisposable
{
    private byte[] _received = new byte[1 << 17]; // of a hundred connections it still fits into the caches
    private int _length;
    private int _read;

    /// <summary>The connection.</summary>
    protected Socket Socket => socket;

    /// <summary>What has been received and not been taken yet.</summary>
    protected ReadOnlySpan<byte> Pending => _received.AsSpan(_read.._length);

    /// <summary>Sends input for the program.</summary>
    public virtual void Send(ReadOnlySpan<byte> input) => SendAll(input);

    /// <summary>Waits for output and throws it away.</summary>
    /// <returns>Its bytes; 0 where the program or the connection has ended.</returns>
    public int Receive()
    {
        while (true)
        {
            if (Take(out var output))
            {
                if (output < 0)
                    return 0;
                if (output > 0)
                    return output;
            }
            else if (!Fill())
            {
                return 0;
            }
        }
    }

    /// <summary>Takes what has come, without waiting, and answers it where it wants an answer.</summary>
    public void Attend()
    {
        while (socket.Available > 0 && Fill())
        {
            while (Take(out _))
            {
            }
        }
    }

    /// <summary>Waits for so many bytes of output.</summary>
    public void Receive(long count)
    {
        while (count > 0)
        {
            var output = Receive();
            if (output == 0)
                throw new InvalidOperationException($"the program has ended {count} bytes too early");
            count -= output;
        }
    }

    /// <summary>Receives until the program has ended, and keeps all of it as it came: looked at by <see cref="Hash"/>, when time does not count.</summary>
    /// <param name="room">Where to.</param>
    /// <returns>How much of it is filled.</returns>
    public int ReceiveAll(byte[] room)
    {
        Pending.CopyTo(room);
        _received = room;
        (_length, _read) = (_length - _read, 0);
        while (true)
        {
            while (Take(out var output))
            {
                if (output < 0)
                    return _length;
            }
            if (_length == room.Length)
                throw new InvalidOperationException($"more came than the {room.Length} bytes that there is room for");
            var count = socket.Receive(room.AsSpan(_length));
            if (count == 0)
                return _length;
            _length += count;
        }
    }

    /// <summary>Adds the program's output in what <see cref="ReceiveAll"/> has kept to a hash.</summary>
    public virtual void Hash(ReadOnlySpan<byte> kept, IncrementalHash hash) => hash.AppendData(kept);

    /// <summary>Closes the connection.</summary>
    public void Dispose() => socket.Dispose();

    /// <summary>Takes the next whole piece of what has been received.</summary>
    /// <param name="output">Bytes of the program's output in it, about; -1 where it says that the program has ended.</param>
    /// <returns>False where there is none yet.</returns>
    protected virtual bool Take(out int output)
    {
        output = Pending.Length;
        Skip(output);
        return output > 0;
    }

    /// <summary>Goes over bytes of <see cref="Pending"/>.</summary>
    protected void Skip(int count) => _read += count;

    /// <summary>Sends all of it.</summary>
    protected void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[socket.Send(bytes)..];
    }

    /// <summary>Waits for more.</summary>
    /// <returns>False where the connection has ended.</returns>
    protected bool Fill()
    {
        if (_read > 0)
        {
            Pending.CopyTo(_received);
            (_length, _read) = (_length - _read, 0);
        }
        if (_length == _received.Length)
            Array.Resize(ref _received, _received.Length * 2);
        var count = socket.Receive(_received.AsSpan(_length));
        _length += count;
        return count > 0;
    }
}
