using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes;

/// <summary>
/// A Unix domain socket that listens at a path, for this process's user and root alone (mode 0600 from its first moment on). Made on Linux. Disposing removes it.
/// </summary>
public sealed class SocketFile : IDisposable
{
    /// <summary>The bytes that the path of a socket may have (unix(7): sun_path has 108, the last of which is 0).</summary>
    public const int LongestPath = 107;

    private const UnixFileMode Entered = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int Backlog = 128;

    // Somebody else makes or removes the file each time: more than a few times in a row that is no coincidence.
    private const int Attempts = 8;

    private SocketFile(string path, Socket socket)
    {
        Path = path;
        Socket = socket;
    }

    /// <summary>Where it is, absolute.</summary>
    public string Path { get; }

    /// <summary>The socket; it listens.</summary>
    public Socket Socket { get; }

    /// <summary>Makes one. What a server that has died left at the path is replaced.</summary>
    /// <param name="path">Where; its directory must exist.</param>
    /// <exception cref="IOException">The path is too long, another server listens there, or something else is there; or <see cref="UnauthorizedAccessException"/>.</exception>
    [SupportedOSPlatform("linux")]
    public static SocketFile Listen(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        var parent = System.IO.Path.GetDirectoryName(path) ?? throw new IOException($"{path} is a directory");
        DemandLength(path);
        if (!Directory.Exists(parent))
            throw new IOException($"there is no directory {parent}");
        // Nobody but its owner can enter here, so that its mode is set before anybody can connect.
        using var entry = PrivateDirectory.Create(parent, ".", Entered);
        var first = System.IO.Path.Combine(entry.Path, "s");
        DemandLength(first);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(first));
            File.SetUnixFileMode(first, OwnerOnly);
            socket.Listen(Backlog);
            Publish(first, path);
            return new SocketFile(path, socket);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"a socket at {path} cannot be had: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Socket.SafeHandle.IsClosed)
            return;
        try
        {
            // First, so that nobody finds it and is refused.
            File.Delete(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Its directory has been closed to us, or is gone; the next server there replaces it.
        }

        Socket.Dispose();
    }

    private static void DemandLength(string path)
    {
        var length = Encoding.UTF8.GetByteCount(path);
        if (length > LongestPath)
            throw new IOException($"the path of a socket may have {LongestPath} bytes: {path} has {length}");
    }

    // At every moment what is at the path is one server's socket or another's, never half of one or none.
    private static void Publish(string first, string path)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            switch (LibcAt.Rename(first, path, LibcAt.RenameNoReplace))
            {
                case 0:
                    return;
                case LibcAt.Exists:
                    if (TryReplace(first, path))
                        return;
                    break;
                case LibcAt.Invalid or LibcAt.NotImplemented:
                    // A file system that knows no such rename.
                    _ = IsLeftOver(path);
                    File.Move(first, path, overwrite: true);
                    return;
                default:
                    throw LibcAt.Failure($"a socket at {path} cannot be had");
            }
        }

        throw new IOException($"{path} is made and removed by others all the time");
    }

    private static bool TryReplace(string first, string path)
    {
        if (!IsLeftOver(path) || LibcAt.Rename(first, path, LibcAt.RenameExchange) != 0)
            return false;
        // What has been taken away is looked at again: another server may have come first.
        if (IsLive(first))
        {
            LibcAt.Rename(first, path, LibcAt.RenameExchange);
            throw Taken(path);
        }

        File.Delete(first);
        return true;
    }

    /// <summary>Whether there is what a dead server left; false where there is nothing.</summary>
    private static bool IsLeftOver(string path)
    {
        if (LibcAt.StatusOf(path, followLinks: false) is not { } status)
            return false;
        if ((status.Mode & LibcAt.TypeMask) != LibcAt.TypeSocket)
            throw new IOException($"{path} is there already and is no socket");
        return !IsLive(path) ? true : throw Taken(path);
    }

    private static IOException Taken(string path) => new($"another server listens on {path}");

    private static bool IsLive(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException e)
        {
            // Full of connections that nobody has accepted yet, or another user's: somebody has it.
            return e.SocketErrorCode is not (SocketError.ConnectionRefused or SocketError.AddressNotAvailable);
        }
    }
}
