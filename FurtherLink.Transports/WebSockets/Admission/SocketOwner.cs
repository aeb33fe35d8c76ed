using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>Finds whose a TCP socket of this device is, in the system's lists of them (proc(5), /proc/net/tcp).</summary>
[SupportedOSPlatform("linux")]
internal static class SocketOwner
{
    // The system gives a page or so at a time; no line is longer than 200 bytes.
    private const int BufferSize = 64 * 1024;

    // A list that changes while it is read may leave a line out.
    private const int Attempts = 3;

    /// <summary>Finds the user id of a socket that is connected; one that is closing counts no more, for its id is lost by then.</summary>
    /// <param name="local">Its own end.</param>
    /// <param name="remote">The other end, in the same form.</param>
    /// <param name="folder">Where the lists are.</param>
    /// <returns>Null where there is no such socket.</returns>
    public static uint? Find(IPEndPoint local, IPEndPoint remote, string folder = "/proc/net")
    {
        var four = local.AddressFamily is System.Net.Sockets.AddressFamily.InterNetwork;
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

    // How its line goes on behind its number: both ends, and the state 01, TCP_ESTABLISHED.
    private static byte[] Line(IPEndPoint local, IPEndPoint remote) => Encoding.ASCII.GetBytes($" {Hex(local)} {Hex(remote)} 01 ");

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
