using System.Runtime.Versioning;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes;

/// <summary>The files and directories that programs run from and in. Where it acts for a user, the thread is that user: <see cref="FileUser"/>.</summary>
/// <param name="options">The core's settings.</param>
[SupportedOSPlatform("linux")]
internal sealed class ProgramFiles(LinkOptions options)
{
    // 1777
    private const UnixFileMode Everybody = UnixFileMode.StickyBit
        | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>The path that a request names, absolute, "..", and a slash at the end, left in it as they are.</summary>
    public string Resolve(string? path, UserAccount user)
    {
        if (string.IsNullOrEmpty(path))
            return Path.GetFullPath(options.TempDirectory);
        if (path.Contains('\0', StringComparison.Ordinal))
            throw new LinkException(FailureCode.BadValue, "the path has a NUL in it");
        return Path.Combine(WorkDirectory(user), path);
    }

    /// <summary>Makes the directories that the settings name where they are missing. They are the server's to make, wherever they are.</summary>
    public void EnsureSettings(UserAccount user)
    {
        Translate(options.TempDirectory, () =>
        {
            if (Directory.Exists(options.TempDirectory))
                return;
            Directory.CreateDirectory(options.TempDirectory);
            // As /tmp: everybody may make files, nobody may touch those of others.
            if (Libc.IsRoot)
                File.SetUnixFileMode(options.TempDirectory, Everybody);
        });
        if (options.WorkDirectory is not null)
        {
            var directory = WorkDirectory(user);
            Translate(directory, () =>
            {
                if (Directory.Exists(directory))
                    return;
                Directory.CreateDirectory(directory);
                if (user.Uid != Libc.EffectiveUser)
                    Libc.Give(directory, user.Uid, user.Gid);
            });
        }
    }

    /// <summary>Makes a directory, and those above it, where it is missing.</summary>
    public static void EnsureDirectory(string directory) =>
        Translate(directory, () => Directory.CreateDirectory(directory));

    /// <summary>Makes sure that a file can be executed; its owner, if that is who runs it, gets the permission.</summary>
    /// <exception cref="LinkException">It cannot; the message says why.</exception>
    public static void EnsureExecutable(string path, UserAccount user, bool mayChange = true)
    {
        if (Directory.Exists(path))
            throw new LinkException(FailureCode.ProgramNotRunnable, $"{path} is a directory, not a program");
        if (!File.Exists(path))
            throw new LinkException(FailureCode.ProgramNotFound, $"there is no file {path}");
        Translate(path, () =>
        {
            if (!mayChange || Libc.OwnerOf(path) != user.Uid)
                return;
            var mode = File.GetUnixFileMode(path);
            if (!mode.HasFlag(UnixFileMode.UserExecute))
                File.SetUnixFileMode(path, mode | UnixFileMode.UserExecute);
        });
        if (!Libc.MayExecute(path))
            throw new LinkException(FailureCode.ProgramNotRunnable, $"{user.Name} may not execute {path}: its owner can allow it (chmod +x)");
    }

    /// <summary>Makes sure that a program can be run in a directory.</summary>
    public static void EnsureEnterable(string directory, UserAccount user)
    {
        if (!Directory.Exists(directory))
            throw new LinkException(FailureCode.Failed, $"there is no directory {directory} to run in");
        if (Libc.OwnerOf(directory.TrimEnd('/') + "/.") is null)
            throw new LinkException(FailureCode.Failed, $"{user.Name} may not enter the directory {directory}");
    }

    /// <summary>Makes sure that a program can be started: what stands before it, to change the user or to set limits, could only fail itself.</summary>
    /// <exception cref="LinkException">It cannot; the message says why.</exception>
    public static void EnsureProgram(string path, UserAccount user)
    {
        if (!Path.Exists(path))
            throw new LinkException(FailureCode.ProgramNotFound, $"there is no program {path}");
        if (Directory.Exists(path) || !Libc.MayExecute(path))
            throw new LinkException(FailureCode.ProgramNotRunnable, $"{user.Name} may not execute {path}: look at its permissions (chmod +x)");
        EnsureFormat(path);
    }

    /// <summary>
    /// Whether the kernel knows what to do with a file: a binary, or a script whose interpreter is there. The programs that start others
    /// in between would hand anything else to /bin/sh.
    /// </summary>
    private static void EnsureFormat(string path)
    {
        Span<byte> start = stackalloc byte[256]; // the kernel reads no more of a first line
        var length = Libc.ReadFile(path, start);
        if (length == 0 && new FileInfo(path).Length > 0)
            return; // executable without being readable: a binary
        var line = start[..length];
        if (line.StartsWith("\u007fELF"u8))
            return;
        if (!line.StartsWith("#!"u8))
            throw Children.Spawner.NotExecutable(path);
        var text = Encoding.UTF8.GetString(line[2..]).Split('\n')[0].Trim(' ', '\t', '\r');
        var interpreter = text.Split(' ', '\t')[0];
        if (!File.Exists(interpreter))
            throw new LinkException(FailureCode.ProgramNotRunnable, $"{path} cannot run: its first line names {interpreter}, which is not on this device");
    }

    /// <summary>Where a user's uploads go and relative paths begin.</summary>
    public string WorkDirectory(UserAccount user) =>
        options.WorkDirectory is { Length: > 0 } directory ? Path.GetFullPath(directory) : Path.Combine(user.Home, "further");

    /// <summary>Does something, and says of what the system refuses which path that is.</summary>
    /// <exception cref="LinkException">The system refused.</exception>
    internal static void Translate(string path, Action action)
    {
        try
        {
            action();
        }
        catch (UnauthorizedAccessException e)
        {
            throw new LinkException(FailureCode.Failed, $"no permission to make or change {path}", e);
        }
        catch (IOException e)
        {
            throw new LinkException(FailureCode.Failed, $"{path} cannot be used: {e.Message}", e);
        }
    }
}
