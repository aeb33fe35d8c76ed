using FurtherLink.Processes.Native;

namespace FurtherLink.Security;

/// <summary>What is different where a file has been changed.</summary>
/// <param name="Written">When its content was.</param>
/// <param name="Changed">When anything was, which nobody can set back; 0 where the system does not say.</param>
/// <param name="Length">Its length.</param>
internal readonly record struct FileStamp(DateTime Written, double Changed, long Length)
{
    /// <summary>That of a file; null = it is not there, or cannot be seen.</summary>
    public static FileStamp? Of(string path)
    {
        try
        {
            var info = new FileInfo(path);
            var changed = OperatingSystem.IsLinux() ? LibcAt.StatusOf(path, followLinks: true)?.Changed.Total : null;
            return info.Exists ? new FileStamp(info.LastWriteTimeUtc, changed ?? 0, info.Length) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
