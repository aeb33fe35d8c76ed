using System.Buffers;
using FurtherLink.Device;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Copies a file, a link or a whole folder: contents, permissions and times of change; links stay links.</summary>
internal static class TreeCopy
{
    private const int BufferSize = 128 * 1024;

    // PATH_MAX leaves room for some 2000 one-letter folders; each takes two descriptors here while it is copied.
    private const int MaxDepth = 200;

    // 31 December 9999, the last day of DateTime.
    private const double LastSecond = 253_402_300_799;

    // What a file's owner decides; set-id bits are given, not copied.
    private const UnixFileMode CopiedMode = (UnixFileMode)0x1FF;

    /// <summary>Copies what is at a path into a folder, under its own name, which must be free. What was copied is removed again where it fails.</summary>
    /// <exception cref="LinkException">There is something that cannot be copied.</exception>
    /// <exception cref="UnauthorizedAccessException">Something may not be read, or the folder may not be written.</exception>
    /// <exception cref="IOException">Something cannot be read or written, or the name is taken.</exception>
    public static void Copy(DevicePath source, HeldFolder destination, CancellationToken cancellationToken)
    {
        using var above = new HeldFolder(source, DeviceFiles.HoldDirectory(Path.GetDirectoryName(source.Full)!));
        var made = false;
        try
        {
            Copy(above, source.Name, destination, source.Given, 0, ref made, cancellationToken);
        }
        catch when (made)
        {
            DeviceFiles.RemoveTree(destination.PathTo(source.Name));
            throw;
        }
    }

    private static void Copy(HeldFolder from, string name, HeldFolder to, string given, int depth, ref bool made, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var status = from.Look(name) ?? throw new LinkException(FailureCode.Failed, $"Cannot copy \"{name}\", which is gone or has a name that is not UTF-8: {given}");
        if (status.IsLink)
        {
            File.CreateSymbolicLink(to.PathTo(name), new FileInfo(from.PathTo(name)).LinkTarget ?? throw new IOException("It is no link", Errno.NoEntry));
            made = true;
        }
        else if (status.IsFile)
        {
            CopyFile(from, name, to, given, status, ref made, cancellationToken);
        }
        else if (!status.IsDirectory)
        {
            throw new LinkException(FailureCode.Failed, $"Not a regular file: {given}");
        }
        else
        {
            if (depth == MaxDepth)
                throw new LinkException(FailureCode.Limited, $"Directory is nested too deeply: {given}");
            if (!DeviceFiles.TryMakeDirectory(to.PathTo(name)))
                throw new IOException("The name is taken", Errno.Exists);
            made = true;
            using var inner = from.Open(name);
            using var copy = to.Open(name);
            foreach (var entry in inner.Names())
                Copy(inner, entry, copy, given, depth + 1, ref made, cancellationToken);
            // Last, as a folder may forbid writing in it.
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(copy.Full, status.Mode & CopiedMode);
        }
    }

    private static void CopyFile(HeldFolder from, string name, HeldFolder to, string given, PathStatus status, ref bool made, CancellationToken cancellationToken)
    {
        using var source = from.OpenToRead(name);
        if (!PathStatus.Of(source).IsFile)
            throw new LinkException(FailureCode.Failed, $"Not a regular file: {given}");
        using var target = to.Create(name);
        made = true;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            long at = 0;
            for (int read; (read = RandomAccess.Read(source, buffer, at)) > 0; at += read)
            {
                cancellationToken.ThrowIfCancellationRequested();
                RandomAccess.Write(target, buffer.AsSpan(0, read), at);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(target, status.Mode & CopiedMode);
        File.SetLastWriteTimeUtc(target, DateTime.UnixEpoch.AddSeconds(Math.Clamp(status.Modified, 0, LastSecond)));
    }
}
