using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using FurtherLink.Processes.Native;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Processes.Leftovers;

/// <summary>Removes a tree of files whose owner may be working against it: no link is followed, any depth and any name will do.</summary>
internal static class TreeRemoval
{
    // What lies deeper is moved to the top and removed from there, so that neither the stack nor the descriptors run out.
    private const int MaxDepth = 64;

    // linux_dirent64: 8 bytes inode, 8 offset, 2 record length, 1 type, then the name with its NUL.
    private const int RecordLength = 16;
    private const int NameOffset = 19;

    /// <summary>Removes an entry and all below it; nothing where there is none.</summary>
    /// <exception cref="IOException">Something of it may not be removed; the rest is gone.</exception>
    public static void Remove(SafeFileHandle directory, string name)
    {
        var pending = new Queue<byte[]>();
        pending.Enqueue(Encoding.UTF8.GetBytes(name + '\0'));
        while (pending.TryDequeue(out var next))
            Remove(directory, next, MaxDepth, directory, pending);
    }

    private static void Remove(SafeFileHandle directory, byte[] name, int depth, SafeFileHandle top, Queue<byte[]> pending)
    {
        if (LibcAt.unlinkat(directory, name, 0) == 0)
            return;
        switch (Marshal.GetLastPInvokeError())
        {
            case LibcAt.NoEntry:
                return;
            case LibcAt.IsDirectory:
                break;
            default:
                throw Cannot(name);
        }
        if (depth == 0)
        {
            var place = Encoding.UTF8.GetBytes($".{Guid.NewGuid():N}.removed\0");
            if (LibcAt.renameat2(directory, name, top, place, LibcAt.RenameNoReplace) != 0)
                throw Cannot(name);
            pending.Enqueue(place);
            return;
        }
        using (var folder = Open(directory, name))
        {
            foreach (var entry in Names(folder))
                Remove(folder, entry, depth - 1, top, pending);
        }
        if (LibcAt.unlinkat(directory, name, LibcAt.AtRemoveDir) != 0 && Marshal.GetLastPInvokeError() != LibcAt.NoEntry)
            throw Cannot(name);
    }

    private static SafeFileHandle Open(SafeFileHandle directory, byte[] name)
    {
        var flags = LibcAt.OpenDirectory | LibcAt.OpenNoFollow | LibcAt.OpenCloseOnExec;
        var folder = LibcAt.openat(directory, name, flags, 0);
        // A program may have taken its own rights away: 0700 gives them back to the owner.
        if (folder.IsInvalid && Marshal.GetLastPInvokeError() == LibcAt.PermissionDenied && LibcAt.fchmodat(directory, name, 0x1C0, 0) == 0)
            folder = LibcAt.openat(directory, name, flags, 0);
        return folder.IsInvalid ? throw Cannot(name) : folder;
    }

    private static List<byte[]> Names(SafeFileHandle folder)
    {
        // All of them first: removing while reading may skip entries.
        var names = new List<byte[]>();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var length = (int)LibcAt.getdents64(folder, buffer, buffer.Length);
            if (length < 0)
                throw LibcAt.Failure("Cannot list a directory");
            if (length == 0)
                return names;
            for (var at = 0; at < length; at += BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(at + RecordLength)))
            {
                var name = buffer.AsSpan(at + NameOffset);
                name = name[..(name.IndexOf((byte)0) + 1)];
                if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                    names.Add(name.ToArray());
            }
        }
    }

    private static IOException Cannot(byte[] name) => LibcAt.Failure($"Cannot remove {Encoding.UTF8.GetString(name.AsSpan(0, name.Length - 1))}");
}
