using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Transports.Portacode.Files;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>
/// A file's new content, written beside it and put in its place by a rename: others see the old content or the new, never half of it. It keeps the
/// old file's mode and owner, and goes through a link to what that names. Disposing removes what was not put in place.
/// </summary>
internal sealed class StagedFile : IDisposable
{
    private readonly string _target;
    private readonly string _temporary;
    private readonly IDisposable? _note;

    private StagedFile(string target, string temporary, FileStream stream, IDisposable? note)
    {
        _target = target;
        _temporary = temporary;
        _note = note;
        Stream = stream;
    }

    /// <summary>Where the new content goes; open to be read and written.</summary>
    public FileStream Stream { get; }

    /// <summary>Begins the new content of a file that need not be there yet; its folder must.</summary>
    /// <param name="file">The file. Where no root is set a link there is gone through; else it is replaced.</param>
    /// <param name="ledger">Where it is written down for the case of a crash; null = nowhere.</param>
    /// <exception cref="LinkException">It is something else than a file.</exception>
    /// <exception cref="IOException">Nothing can be made there.</exception>
    public static StagedFile Beside(DevicePath file, Ledger? ledger = null)
    {
        var target = TargetOf(file);
        DemandRegular(target);
        var temporary = TemporaryName(target);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Read | FileShare.Delete };
        var replaces = File.Exists(target);
        // Nobody may read new content whom the old mode keeps out, not even while it is written.
        if (replaces && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var note = ledger?.Note(temporary);
        FileStream? stream = null;
        try
        {
            stream = new FileStream(temporary, options);
            if (replaces && !OperatingSystem.IsWindows())
            {
                DeviceFiles.TakeOwner(stream.SafeFileHandle, target);
                File.SetUnixFileMode(stream.SafeFileHandle, File.GetUnixFileMode(target));
            }

            return new StagedFile(target, temporary, stream, note);
        }
        catch
        {
            stream?.Dispose();
            if (stream is not null)
                File.Delete(temporary);
            note?.Dispose();
            throw;
        }
    }

    /// <summary>A name beside another that nothing has, and that lists hide.</summary>
    public static string TemporaryName(string path) => Path.Combine(Path.GetDirectoryName(path)!, $".portacode-{Guid.NewGuid():N}");

    /// <summary>Opens a file for what nobody else needs to see, on the disk of another one. It has no name, so it is gone with the handle, even when the device dies.</summary>
    /// <param name="beside">A path in the folder where it is made.</param>
    /// <exception cref="IOException">Nothing can be made there.</exception>
    public static FileStream OpenNameless(string beside)
    {
        var name = TemporaryName(beside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(name, options);
        File.Delete(name);
        return file;
    }

    /// <summary>What new content of a file replaces: where no root is set, what is at the end of the links there.</summary>
    /// <exception cref="IOException">The links go in a circle.</exception>
    public static string TargetOf(DevicePath file) =>
        file.Root is null && new FileInfo(file.Full) is { LinkTarget: not null } link ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName : file.Full;

    /// <summary>Refuses what is there and no plain file: a read of it may never end, and a write may go anywhere.</summary>
    /// <exception cref="LinkException">It is a folder, a pipe, a socket or a device.</exception>
    /// <param name="path">Where to look.</param>
    /// <param name="named">The path in words for the client; null = the same.</param>
    public static void DemandRegular(string path, string? named = null)
    {
        if (Directory.Exists(path) || PathStatus.IsSpecial(path))
            throw new LinkException(FailureCode.Failed, $"Path is not a file: {named ?? path}");
    }

    /// <summary>Refuses a name that is taken and may not be replaced, before much is written.</summary>
    /// <exception cref="LinkException">It is.</exception>
    public static void DemandFree(string path, bool overwrite, string? named = null)
    {
        if (!overwrite && Path.Exists(path))
            throw new LinkException(FailureCode.AlreadyExists, $"File already exists: {named ?? path}");
    }

    /// <summary>Puts the new content in place.</summary>
    /// <param name="overwrite">Whether it may replace a file.</param>
    /// <exception cref="LinkException">There is a file, and it may not.</exception>
    /// <exception cref="IOException">It cannot be; the old content stands.</exception>
    public void Install(bool overwrite)
    {
        // On the disk before it has the name: a power cut must not leave an empty file.
        Stream.Flush(flushToDisk: true);
        Stream.Dispose();
        Move(_temporary, _target, overwrite);
    }

    /// <summary>Gives a file another name, in one step.</summary>
    /// <exception cref="LinkException">The name is taken, and may not be replaced.</exception>
    public static void Move(string from, string to, bool overwrite, string? named = null)
    {
        try
        {
            File.Move(from, to, overwrite);
        }
        catch (IOException) when (!overwrite && Path.Exists(to))
        {
            throw new LinkException(FailureCode.AlreadyExists, $"File already exists: {named ?? to}");
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Stream.Dispose();
        try
        {
            File.Delete(_temporary);
            _note?.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder has gone, and the file with it, or nothing can be done about it now.
        }
    }
}
