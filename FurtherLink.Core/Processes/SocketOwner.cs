using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes;

/// <summary>
/// Finds whose a TCP socket of this device is: asks the kernel (sock_diag(7)), and where it does not answer, reads its lists (proc(5), /proc/net/tcp).
/// </summary>
[SupportedOSPlatform("linux")]
public static class SocketOwner
{
    // The system gives a page or so at a time; no line is longer than 200 bytes.
    private const int BufferSize = 64 * 1024;

    // TCP_ESTABLISHED.
    private const byte Established = 1;

    private const int LongestAnswer = 1024;

    // A list that changes while it is read may leave a line out.
    private const int Attempts = 3;

    /// <summary>Finds the user id of a socket that is connected; one that is closing counts no more, for its id is lost by then.</summary>
    /// <param name="local">Its own end.</param>
    /// <param name="remote">The other end, in the same form.</param>
    /// <returns>Null where there is no such socket.</returns>
    public static uint? Find(IPEndPoint local, IPEndPoint remote)
    {
        ArgumentNullException.ThrowIfNull(local);
        ArgumentNullException.ThrowIfNull(remote);
        if (Ask(local, remote) is { } uid)
            return uid;
        // A kernel that knows this server's own end has answered that there is no such socket: the lists, which are long where many come and go, say no more.
        Span<byte> answer = stackalloc byte[LongestAnswer];
        return Ask(remote, local, answer).IsEmpty ? Search(local, remote, "/proc/net") : null;
    }

    /// <summary>Asks the kernel.</summary>
    internal static uint? Ask(IPEndPoint local, IPEndPoint remote)
    {
        // struct inet_diag_msg: the state, both ports, and the user id behind 52 bytes of the ends and three numbers. Where no such socket is connected,
        // one may be found that listens at its end.
        Span<byte> answer = stackalloc byte[LongestAnswer];
        var found = Ask(local, remote, answer);
        return !found.IsEmpty && found[1] == Established && BinaryPrimitives.ReadUInt16BigEndian(found[4..]) == local.Port
            && BinaryPrimitives.ReadUInt16BigEndian(found[6..]) == remote.Port ? BitConverter.ToUInt32(found[64..]) : null;
    }

    /// <summary>Asks the kernel of a socket in any state.</summary>
    /// <returns>The struct inet_diag_msg that it answers; empty where it knows none, or cannot be asked.</returns>
    private static ReadOnlySpan<byte> Ask(IPEndPoint local, IPEndPoint remote, Span<byte> answer)
    {
        // struct nlmsghdr of a request SOCK_DIAG_BY_FAMILY, and struct inet_diag_req_v2: TCP, in any state, for it tells that; no interface; no cookie.
        const int Header = 16;
        Span<byte> request = stackalloc byte[Header + 56];
        request.Clear();
        BitConverter.TryWriteBytes(request, request.Length);
        BitConverter.TryWriteBytes(request[4..], (ushort)20);
        BitConverter.TryWriteBytes(request[6..], (ushort)1);
        var asked = request[Header..];
        asked[0] = (byte)(local.AddressFamily is AddressFamily.InterNetwork ? 2 : 10);
        asked[1] = (byte)ProtocolType.Tcp;
        BitConverter.TryWriteBytes(asked[4..], -1);
        BinaryPrimitives.WriteUInt16BigEndian(asked[8..], (ushort)local.Port);
        BinaryPrimitives.WriteUInt16BigEndian(asked[10..], (ushort)remote.Port);
        local.Address.TryWriteBytes(asked[12..], out _);
        remote.Address.TryWriteBytes(asked[28..], out _);
        asked[48..].Fill(0xFF);

        var length = Libc.AskOfSockets(request, answer);
        return length < Header + 72 || BitConverter.ToUInt16(answer[4..]) != 20 ? [] : answer[Header..length];
    }

    /// <summary>Reads the lists.</summary>
    /// <param name="local">Its own end.</param>
    /// <param name="remote">The other end, in the same form.</param>
    /// <param name="folder">Where the lists are.</param>
    internal static uint? Search(IPEndPoint local, IPEndPoint remote, string folder)
    {
        var four = local.AddressFamily is AddressFamily.InterNetwork;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var uid = (four ? Search(Path.Join(folder, "tcp"), Line(local, remote)) : null)
                ?? Search(Path.Join(folder, "tcp6"), four ? Line(Mapped(local), Mapped(remote)) : Line(local, remote));
            if (uid is not null)
                return uid;
        }

        return null;
    }

    // A program may reach an IPv4 address through a socket of IPv6.
    private static IPEndPoint Mapped(IPEndPoint end) => new(end.Address.MapToIPv6(), end.Port);

    // How its line goes on behind its number: both ends, and the state.
    private static byte[] Line(IPEndPoint local, IPEndPoint remote) => Encoding.ASCII.GetBytes($" {Hex(local)} {Hex(remote)} {Established:X2} ");

    // Words of 32 bits as this machine reads them, and the port.
    private static string Hex(IPEndPoint end)
    {
        Span<byte> octets = stackalloc byte[16];
        end.Address.TryWriteBytes(octets, out var count);
        var text = new StringBuilder();
        foreach (var word in MemoryMarshal.Cast<byte, uint>(octets[..count]))
            text.Append(CultureInfo.InvariantCulture, $"{word:X8}");
        return text.Append(CultureInfo.InvariantCulture, $":{end.Port:X4}").ToString();
    }

    private static uint? Search(string path, ReadOnlySpan<byte> line)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            using var file = File.OpenHandle(path);
            var kept = 0;
            for (long offset = 0; ;)
            {
                var count = RandomAccess.Read(file, buffer.AsSpan(kept), offset);
                if (count == 0)
                    return null;
                offset += count;
                var text = buffer.AsSpan(0, kept + count);
                var end = text.LastIndexOf((byte)'\n') + 1;
                if (text[..end].IndexOf(line) is >= 0 and var at)
                    return Uid(text[(at + line.Length)..end]);
                text[end..].CopyTo(buffer);
                kept = text.Length - end;
                if (kept == buffer.Length)
                    return null;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // "00000000:00000000 00:00000000 00000000  1000 ...": queues, timer, retransmissions, and the id.
    private static uint? Uid(ReadOnlySpan<byte> rest)
    {
        for (var field = 0; field < 3; field++)
        {
            rest = rest.TrimStart((byte)' ');
            var space = rest.IndexOf((byte)' ');
            if (space < 0)
                return null;
            rest = rest[space..];
        }

        return Utf8Parser.TryParse(rest.TrimStart((byte)' '), out uint uid, out _) ? uid : null;
    }
}
