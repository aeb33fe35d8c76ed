using System.Runtime.InteropServices;

namespace FurtherLink.Processes.Native;

/// <summary>
/// Every call into the C library: files, terminals and epoll here, starting and ending processes and user accounts in the other parts.
/// Expected refusals are results; any other errno is a <see cref="LibcException"/>.
/// </summary>
internal static unsafe partial class Libc
{
    /// <summary>Returned where a call would have to wait.</summary>
    internal const int WouldBlock = -1;

    /// <summary>Returned where the other end is closed.</summary>
    internal const int OtherEndClosed = -2;

    /// <summary>The errno of a write that nobody reads.</summary>
    internal const int BrokenPipe = 32;

    internal const uint EpollIn = 0x1;
    internal const uint EpollOut = 0x4;
    internal const uint EpollError = 0x8;
    internal const uint EpollHangUp = 0x10;
    internal const uint EpollEdgeTriggered = 0x8000_0000;

    private const int EIntr = 4;
    private const int EIo = 5;
    private const int EAgain = 11;
    private const int EPipe = BrokenPipe;

    // struct epoll_event is packed on x86-64; on x86 the alignment of 64-bit numbers is 4 anyway.
    private static readonly int EpollDataOffset = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 4 : 8;

    /// <summary>The size of one event in the buffer of <see cref="EpollWait"/>.</summary>
    internal static int EpollEventSize => EpollDataOffset + sizeof(long);

    /// <summary>Reads what is there.</summary>
    /// <returns>The number of bytes; 0 = end (of a terminal too); <see cref="WouldBlock"/>.</returns>
    internal static int Read(Descriptor descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var count = read(descriptor, start, (nuint)buffer.Length);
                if (count >= 0)
                    return (int)count;
                switch (Marshal.GetLastPInvokeError())
                {
                    case EIntr: continue;
                    case EAgain: return WouldBlock;
                    case EIo: return 0; // how the master of a terminal says that nobody has the other side
                    default: throw LibcException.Last("read");
                }
            }
        }
    }

    /// <summary>Writes as much as there is room for.</summary>
    /// <returns>The number of bytes, <see cref="WouldBlock"/> or <see cref="OtherEndClosed"/>.</returns>
    internal static int Write(Descriptor descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                var count = write(descriptor, start, (nuint)bytes.Length);
                if (count >= 0)
                    return (int)count;
                switch (Marshal.GetLastPInvokeError())
                {
                    case EIntr: continue;
                    case EAgain: return WouldBlock;
                    case EPipe or EIo: return OtherEndClosed;
                    default: throw LibcException.Last("write");
                }
            }
        }
    }

    /// <summary>Makes a pipe; neither end is inherited, and neither is one of the standard descriptors 0 to 2.</summary>
    /// <param name="nonBlockingRead">Whether our end is the one that is read; the other stays blocking, for the program.</param>
    internal static (Descriptor Read, Descriptor Write) Pipe(bool nonBlockingRead)
    {
        var ends = stackalloc int[2];
        if (pipe2(ends, OpenCloseOnExec) != 0)
            throw LibcException.Last("pipe2");
        var read = Descriptor.AboveStandard(ends[0]);
        var write = Descriptor.AboveStandard(ends[1]);
        SetNonBlocking(nonBlockingRead ? read : write);
        return (read, write);
    }

    /// <summary>Has a pipe hold so many bytes; it stays as it is where the kernel gives its user no more.</summary>
    internal static void WidenPipe(Descriptor descriptor, int size)
    {
        const int SetPipeSize = 1031; // F_SETPIPE_SZ
        _ = fcntl(descriptor, SetPipeSize, size);
    }

    /// <summary>Moves a descriptor to a number of at least 3 where it is not there yet.</summary>
    internal static int MoveAboveStandard(int descriptor)
    {
        if (descriptor is < 0 or > 2)
            return descriptor;
        var moved = fcntl(descriptor, DuplicateCloseOnExec, 3);
        var error = Marshal.GetLastPInvokeError();
        close(descriptor);
        return moved >= 0 ? moved : throw new LibcException("fcntl", error);
    }

    /// <summary>Bytes that a pipe holds.</summary>
    internal static int Available(Descriptor descriptor)
    {
        const uint BytesToRead = 0x541B; // FIONREAD
        int count;
        return ioctl(descriptor, BytesToRead, &count) == 0 ? count : throw LibcException.Last("ioctl FIONREAD");
    }

    /// <summary>
    /// Waits until a descriptor that others may share, and that therefore is left blocking, can be read or written; where it is broken, that is
    /// told by the next read or write.
    /// </summary>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="write">Whether it is to be written.</param>
    /// <param name="interrupt">Ends the wait when it can be read; null = nothing does.</param>
    /// <returns>False where it was interrupted.</returns>
    internal static bool Poll(Descriptor descriptor, bool write, Descriptor? interrupt = null)
    {
        const short In = 1;
        const short Out = 4;
        var held = false;
        var heldInterrupt = false;
        try
        {
            descriptor.DangerousAddRef(ref held);
            interrupt?.DangerousAddRef(ref heldInterrupt);
            // struct pollfd: the descriptor, a negative one being passed over, then two 16-bit words, what to hear of and what was heard.
            var items = stackalloc int[4];
            items[0] = (int)descriptor.DangerousGetHandle();
            items[2] = interrupt is null ? -1 : (int)interrupt.DangerousGetHandle();
            ((short*)items)[2] = write ? Out : In;
            ((short*)items)[6] = In;
            while (true)
            {
                if (poll(items, 2, -1) >= 0)
                    return ((short*)items)[7] == 0;
                if (Marshal.GetLastPInvokeError() != EIntr)
                    throw LibcException.Last("poll");
            }
        }
        finally
        {
            if (heldInterrupt)
                interrupt!.DangerousRelease();
            if (held)
                descriptor.DangerousRelease();
        }
    }

    /// <summary>Whether a descriptor came from whoever started this process: what the runtime opens itself is not inherited further (FD_CLOEXEC).</summary>
    internal static bool IsInherited(int descriptor)
    {
        const int GetDescriptorFlags = 1;
        return fcntl(descriptor, GetDescriptorFlags, 0) == 0;
    }

    /// <summary>Another descriptor of the same open file, of a number of at least 3; not inherited.</summary>
    internal static Descriptor Duplicate(int descriptor)
    {
        var copy = fcntl(descriptor, DuplicateCloseOnExec, 3);
        return copy >= 0 ? new Descriptor(copy) : throw LibcException.Last("fcntl");
    }

    /// <summary>Opens a new terminal: its master, not blocking, and the path of its other side.</summary>
    internal static Descriptor OpenTerminal(out string path)
    {
        const int NameLength = 64; // "/dev/pts/" and a number
        var master = Descriptor.AboveStandard(posix_openpt(LibcAt.OpenReadWrite | OpenNoControllingTerminal | OpenNonBlocking | OpenCloseOnExec));
        if (master.IsInvalid)
            throw LibcException.Last("posix_openpt");
        var name = stackalloc byte[NameLength];
        if (grantpt(master) != 0 || unlockpt(master) != 0 || ptsname_r(master, name, NameLength) != 0)
        {
            var failure = LibcException.Last("grantpt");
            master.Dispose();
            throw failure;
        }

        path = Marshal.PtrToStringUTF8((nint)name)!;
        return master;
    }

    /// <summary>Gives the other side of a terminal to a user.</summary>
    internal static void GiveTerminal(string path, uint uid)
    {
        const uint Unchanged = uint.MaxValue; // its group is the system's: "tty"
        using var slave = new Descriptor(open(path, LibcAt.OpenReadWrite | OpenNoControllingTerminal | OpenCloseOnExec, 0));
        if (slave.IsInvalid)
            throw LibcException.Last("open " + path);
        if (fchown(slave, uid, Unchanged) != 0)
            throw LibcException.Last("fchown " + path);
    }

    /// <summary>Sets the window size of a terminal; its foreground group gets SIGWINCH where it changes.</summary>
    internal static void SetWindowSize(Descriptor master, int rows, int columns)
    {
        const uint SetSize = 0x5414; // TIOCSWINSZ
        var size = stackalloc ushort[4] { (ushort)rows, (ushort)columns, 0, 0 };
        if (ioctl(master, SetSize, size) != 0)
            throw LibcException.Last("ioctl TIOCSWINSZ");
    }

    /// <summary>The character that ends a terminal's input now; null where its mode knows none.</summary>
    internal static byte? EndOfFileCharacter(Descriptor master)
    {
        // struct termios: four 32-bit words of flags, the line discipline, then the characters; 60 bytes.
        const int LocalFlags = 3;
        const int Characters = 17;
        const int EndOfFile = 4;
        const uint Canonical = 0x2;
        var settings = stackalloc byte[64];
        if (tcgetattr(master, settings) != 0 || (((uint*)settings)[LocalFlags] & Canonical) == 0)
            return null;
        return settings[Characters + EndOfFile] is var end and not 0 ? end : null;
    }

    internal static Descriptor EpollCreate() => Descriptor.Checked(epoll_create1(OpenCloseOnExec), "epoll_create1");

    internal static void EpollAdd(Descriptor epoll, Descriptor descriptor, uint events, long data)
    {
        const int Add = 1;
        EpollControl(epoll, Add, descriptor, events, data);
    }

    internal static void EpollChange(Descriptor epoll, Descriptor descriptor, uint events, long data)
    {
        const int Modify = 3;
        EpollControl(epoll, Modify, descriptor, events, data);
    }

    internal static void EpollRemove(Descriptor epoll, Descriptor descriptor)
    {
        const int Remove = 2;
        EpollControl(epoll, Remove, descriptor, events: 0, data: 0);
    }

    /// <summary>Waits for events.</summary>
    /// <param name="epoll">The epoll descriptor.</param>
    /// <param name="buffer">Room for the events, <see cref="EpollEventSize"/> bytes each.</param>
    /// <param name="timeout">How long to wait for one, in milliseconds; 0 = not at all, -1 = as long as it takes.</param>
    /// <returns>The number of events.</returns>
    internal static int EpollWait(Descriptor epoll, Span<byte> buffer, int timeout)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var count = epoll_wait(epoll, start, buffer.Length / EpollEventSize, timeout);
                if (count >= 0)
                    return count;
                if (Marshal.GetLastPInvokeError() != EIntr)
                    throw LibcException.Last("epoll_wait");
            }
        }
    }

    internal static (uint Events, long Data) EpollEvent(ReadOnlySpan<byte> buffer, int index)
    {
        var item = buffer.Slice(index * EpollEventSize, EpollEventSize);
        return (MemoryMarshal.Read<uint>(item), MemoryMarshal.Read<long>(item[EpollDataOffset..]));
    }

    private static void EpollControl(Descriptor epoll, int operation, Descriptor descriptor, uint events, long data)
    {
        var item = stackalloc byte[16];
        *(uint*)item = events;
        *(long*)(item + EpollDataOffset) = data;
        if (epoll_ctl(epoll, operation, descriptor, item) != 0)
            throw LibcException.Last("epoll_ctl");
    }

    internal static Descriptor EventDescriptor() => Descriptor.Checked(eventfd(0, OpenCloseOnExec | OpenNonBlocking), "eventfd");

    /// <summary>Reads a small file of /proc, or the start of a file. What a pipe without a writer might say is not waited for.</summary>
    /// <returns>The number of bytes; 0 where it is gone, unreadable or empty.</returns>
    internal static int ReadFile(string path, Span<byte> buffer)
    {
        using var file = new Descriptor(open(path, OpenCloseOnExec | LibcAt.OpenNonBlocking | LibcAt.OpenNoControllingTerminal, 0));
        if (file.IsInvalid)
            return 0;
        var length = 0;
        fixed (byte* start = buffer)
        {
            while (length < buffer.Length)
            {
                var count = read(file, start + length, (nuint)(buffer.Length - length));
                if (count <= 0)
                    break;
                length += (int)count;
            }
        }

        return length;
    }

    internal static int Close(nint descriptor) => close((int)descriptor);

    private const int DuplicateCloseOnExec = 1030;
    private const int OpenNoControllingTerminal = 0x100;
    private const int OpenNonBlocking = 0x800;
    private const int OpenCloseOnExec = 0x80000;

    private static void SetNonBlocking(Descriptor descriptor)
    {
        const int SetFlags = 4;
        if (fcntl(descriptor, SetFlags, OpenNonBlocking) != 0)
            throw LibcException.Last("fcntl");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(Descriptor descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(Descriptor descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* ends, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(Descriptor descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(Descriptor descriptor, nuint request, void* argument);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(Descriptor descriptor, uint user, uint group);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int posix_openpt(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int grantpt(Descriptor master);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlockpt(Descriptor master);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ptsname_r(Descriptor master, byte* buffer, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(Descriptor terminal, byte* settings);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(int* items, nuint count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(Descriptor epoll, int operation, Descriptor descriptor, byte* item);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(Descriptor epoll, byte* items, int capacity, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);
}
