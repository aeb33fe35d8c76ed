using System.Runtime.InteropServices;

namespace FurtherLink.Processes.Native;

/// <summary>Asking the kernel about sockets (sock_diag(7)).</summary>
internal static unsafe partial class Libc
{
    /// <summary>Sends a request and takes what is answered at once.</summary>
    /// <param name="request">The request with its header (netlink(7)).</param>
    /// <param name="answer">Where the answer goes.</param>
    /// <returns>Its length; 0 where the kernel cannot be asked.</returns>
    internal static int AskOfSockets(ReadOnlySpan<byte> request, Span<byte> answer)
    {
        const int Netlink = 16;
        const int Datagrams = 2;
        const int CloseOnExec = 0x80000;
        const int SocketDiagnosis = 4;
        const int DoNotWait = 0x40;
        var socket = Libc.socket(Netlink, Datagrams | CloseOnExec, SocketDiagnosis);
        if (socket < 0)
            return 0;
        try
        {
            // struct sockaddr_nl of the kernel, whose port is 0: connected to it, the socket hears nobody else.
            var kernel = stackalloc ushort[6] { Netlink, 0, 0, 0, 0, 0 };
            if (connect(socket, kernel, sizeof(ushort) * 6) < 0)
                return 0;
            fixed (byte* start = request)
            {
                if (send(socket, start, (nuint)request.Length, 0) != request.Length)
                    return 0;
            }

            // It is answered by the time that sending has returned.
            fixed (byte* start = answer)
                return (int)Math.Max(recv(socket, start, (nuint)answer.Length, DoNotWait), 0);
        }
        finally
        {
            _ = close(socket);
        }
    }

    [LibraryImport("libc")]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc")]
    private static partial int connect(int socket, void* address, uint length);

    [LibraryImport("libc")]
    private static partial nint send(int socket, byte* data, nuint length, int flags);

    [LibraryImport("libc")]
    private static partial nint recv(int socket, byte* data, nuint length, int flags);
}
