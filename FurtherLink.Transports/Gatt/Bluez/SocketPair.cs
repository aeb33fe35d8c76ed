using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>Two sockets that are connected to each other and keep packets apart. .NET makes none (socketpair(2)).</summary>
internal static partial class SocketPair
{
    private const int Unix = 1;
    private const int SequentialPackets = 5;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;

    /// <summary>Makes them.</summary>
    /// <returns>Ours, and a handle of theirs, to be given away and then closed.</returns>
    public static unsafe (Socket Ours, SafeFileHandle Theirs) Create()
    {
        var ends = stackalloc int[2];
        if (socketpair(Unix, SequentialPackets | CloseOnExec | NonBlocking, 0, ends) != 0)
            throw new IOException("socketpair: " + new Win32Exception(Marshal.GetLastPInvokeError()).Message);
        return (new Socket(new SafeSocketHandle(ends[0], ownsHandle: true)), new SafeFileHandle(ends[1], ownsHandle: true));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int socketpair(int domain, int type, int protocol, int* ends);
}
