using System.Runtime.InteropServices;

namespace FurtherLink.Processes.Native;

/// <summary>User accounts, and acting as one.</summary>
internal static unsafe partial class Libc
{
    private const int ERange = 34;

    /// <summary>The user this process runs as.</summary>
    internal static uint EffectiveUser => geteuid();

    /// <summary>The group this process runs as.</summary>
    internal static uint EffectiveGroup => getegid();

    /// <summary>Whether this process may act as any user.</summary>
    internal static bool IsRoot => geteuid() == 0;

    /// <summary>The account of a user id; null where there is none.</summary>
    internal static UserAccount? FindAccount(uint uid) =>
        FindAccount((entry, buffer, size, result) => getpwuid_r(uid, entry, buffer, size, result));

    /// <summary>The account of a login name; null where there is none.</summary>
    internal static UserAccount? FindAccount(string name) =>
        FindAccount((entry, buffer, size, result) => getpwnam_r(name, entry, buffer, size, result));

    /// <summary>The ids of all groups of a user, the primary one included.</summary>
    internal static uint[] GroupsOf(string name, uint primary)
    {
        var groups = new uint[64];
        while (true)
        {
            var count = groups.Length;
            fixed (uint* start = groups)
            {
                if (getgrouplist(name, primary, start, &count) >= 0)
                    return groups[..count];
            }

            groups = new uint[Math.Max(count, groups.Length * 2)];
        }
    }

    /// <summary>Lets this thread, and no other, open files as another user would. Only root may.</summary>
    internal static void SetFileUser(uint uid, uint gid, ReadOnlySpan<uint> groups)
    {
        SetThreadGroups(groups);
        _ = setfsgid(gid);
        _ = setfsuid(uid);
        // They do not say whether it worked, but what it was before; asked for -1 they change nothing.
        if ((uint)setfsuid(uint.MaxValue) != uid || (uint)setfsgid(uint.MaxValue) != gid)
            throw new UnauthorizedAccessException($"This server may not act as user {uid}.");
    }

    /// <summary>The groups of this thread.</summary>
    internal static uint[] ThreadGroups()
    {
        var count = getgroups(0, null);
        var groups = new uint[Math.Max(count, 0)];
        fixed (uint* start = groups)
        {
            if (getgroups(groups.Length, start) < 0)
                throw LibcException.Last("getgroups");
        }

        return groups;
    }

    /// <summary>Whether the user that this thread acts as may execute a file.</summary>
    internal static bool MayExecute(string path)
    {
        const int CurrentDirectory = -100;
        const int Execute = 1;
        const int AsEffectiveUser = 0x200;
        return faccessat(CurrentDirectory, path, Execute, AsEffectiveUser) == 0;
    }

    /// <summary>The owner of a file, links followed; null where it cannot be reached.</summary>
    internal static uint? OwnerOf(string path)
    {
        const int CurrentDirectory = -100;
        const uint Uid = 0x8;
        const int UidOffset = 20;
        var status = stackalloc byte[256];
        return statx(CurrentDirectory, path, 0, Uid, status) == 0 ? *(uint*)(status + UidOffset) : null;
    }

    /// <summary>Gives a file to a user; of a link, the link.</summary>
    internal static void Give(string path, uint uid, uint gid)
    {
        if (lchown(path, uid, gid) != 0)
            throw LibcException.Last("chown " + path);
    }

    private static void SetThreadGroups(ReadOnlySpan<uint> groups)
    {
        // glibc's setgroups changes all threads, the system call this one.
        nint number = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 116,
            Architecture.Arm64 or Architecture.RiscV64 or Architecture.LoongArch64 => 159,
            Architecture.Arm or Architecture.X86 => 206,
            var other => throw new PlatformNotSupportedException($"Acting as another user is not supported on {other}."),
        };
        fixed (uint* start = groups)
        {
            if (syscall(number, groups.Length, (nint)start, 0, 0) != 0)
                throw LibcException.Last("setgroups");
        }
    }

    private static UserAccount? FindAccount(Lookup lookup)
    {
        for (var size = 1024; ; size *= 4)
        {
            var buffer = (byte*)NativeMemory.Alloc((nuint)size);
            try
            {
                Account entry;
                Account* found;
                var error = lookup(&entry, buffer, (nuint)size, &found);
                if (error == ERange && size < 1 << 20)
                    continue;
                return error == 0 && found != null
                    ? new UserAccount(Text(entry.Name), entry.Uid, entry.Gid, Text(entry.Home), Text(entry.Shell))
                    : null;
            }
            finally
            {
                NativeMemory.Free(buffer);
            }
        }
    }

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    private delegate int Lookup(Account* entry, byte* buffer, nuint size, Account** result);

    /// <summary>struct passwd of glibc.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Account
    {
        public byte* Name;
        public byte* Password;
        public uint Uid;
        public uint Gid;
        public byte* Comment;
        public byte* Home;
        public byte* Shell;
    }

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc")]
    private static partial uint getegid();

    [LibraryImport("libc")]
    private static partial int setfsuid(uint uid);

    [LibraryImport("libc")]
    private static partial int setfsgid(uint gid);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getgroups(int size, uint* groups);

    [LibraryImport("libc")]
    private static partial int getpwuid_r(uint uid, Account* entry, byte* buffer, nuint size, Account** result);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int getpwnam_r(string name, Account* entry, byte* buffer, nuint size, Account** result);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int getgrouplist(string name, uint primary, uint* groups, int* count);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int faccessat(int directory, string path, int mode, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint uid, uint gid);
}
