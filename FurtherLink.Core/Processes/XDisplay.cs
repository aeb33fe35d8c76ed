using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace FurtherLink.Processes;

/// <summary>The X displays of this device and who sits at them.</summary>
internal static class XDisplay
{
    private const string SocketDirectory = "/tmp/.X11-unix";
    private const string LoginRecords = "/var/run/utmp";

    // struct utmp, utmp(5): type, process, line, id, user, host; then fields that do not matter here.
    private const int LineOffset = 8;
    private const int LineLength = 32;
    private const int UserOffset = 44;
    private const int UserLength = 32;
    private const int HostOffset = 76;
    private const int HostLength = 256;
    private const short UserProcess = 7;

    // Only 64-bit architectures that never had 32-bit programs have 64-bit times in it.
    private static readonly int RecordSize = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 400 : 384;

    /// <summary>The first display that has a socket (":0"); null where there is none.</summary>
    public static string? FindFirst(string directory = SocketDirectory)
    {
        if (!Directory.Exists(directory))
            return null;
        var numbers = Directory.EnumerateFileSystemEntries(directory, "X*")
            .Select(path => int.TryParse(Path.GetFileName(path.AsSpan())[1..], out var number) ? number : -1)
            .Where(number => number >= 0)
            .ToList();
        return numbers.Count == 0 ? null : $":{numbers.Min()}";
    }

    /// <summary>The login name of who is logged in at a display, as who(1) would show it; null where nobody is.</summary>
    public static string? FindUser(string display, string records = LoginRecords)
    {
        ReadOnlySpan<byte> all;
        try
        {
            all = File.ReadAllBytes(records);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // a device without login records has nobody logged in
        }

        for (; all.Length >= RecordSize; all = all[RecordSize..])
        {
            if (BinaryPrimitives.ReadInt16LittleEndian(all) == UserProcess
                && (Text(all, HostOffset, HostLength) == display || Text(all, LineOffset, LineLength) == display))
                return Text(all, UserOffset, UserLength);
        }

        return null;
    }

    private static string Text(ReadOnlySpan<byte> record, int offset, int length)
    {
        var field = record.Slice(offset, length);
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }
}
