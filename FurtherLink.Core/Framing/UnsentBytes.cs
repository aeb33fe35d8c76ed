using System.Net.Sockets;

namespace FurtherLink.Framing;

/// <summary>Keeps what is said last near to who hears it: bounds what the kernel takes for a peer that does not read.</summary>
public static class UnsentBytes
{
    // tcp(7), netinet/tcp.h: IPPROTO_TCP and TCP_NOTSENT_LOWAT. 16 KiB: the kernel otherwise takes megabytes for a peer that does not read,
    // and everything said later waits behind them.
    private const int Tcp = 6;
    private const int NotSentLowWater = 25;
    private const int NotSentBytes = 16 * 1024;

    /// <summary>Bounds them on a TCP socket of Linux; leaves others as they are.</summary>
    /// <param name="socket">The socket, connected or not yet.</param>
    public static void Limit(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (!OperatingSystem.IsLinux() || socket.ProtocolType != ProtocolType.Tcp)
            return;
        Span<byte> value = stackalloc byte[sizeof(int)];
        BitConverter.TryWriteBytes(value, NotSentBytes);
        socket.SetRawSocketOption(Tcp, NotSentLowWater, value);
    }
}
