using System.Runtime.Versioning;
using FurtherLink.Processes.Children;
using FurtherLink.Processes.ControlGroups;
using FurtherLink.Processes.Native;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Processes.Leftovers;

/// <summary>Ends and removes what one process has left that is no more, by what it had written down.</summary>
/// <param name="directory">Its directory, taken over.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it logs.</param>
[SupportedOSPlatform("linux")]
internal sealed partial class LedgerSweep(HeldDirectory directory, TimeProvider time, ILogger logger)
{
    // Clocks of file systems are a few milliseconds coarse, and a busy device may take a while between the record and the file.
    private const double Moment = 5;

    /// <summary>Does it. Records of what could not be removed stay.</summary>
    /// <returns>Whether anything was written down.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        // Programs first: they might make again what is removed.
        var records = Directory.EnumerateFiles(directory.Path, "*" + LedgerRecord.Extension).Select(path => (Path: path, Record: Read(path))).OrderBy(one => one.Record?.Path, StringComparer.Ordinal).ToList();
        foreach (var (path, record) in records)
        {
            if (record is { Family: not 0 } && !await StrayPrograms.EndAsync(record.Family, record.Session, time, cancellationToken).ConfigureAwait(false))
                Log.ProgramsLeft(logger);
            else if (record is { Group: { } group } && !await new ControlGroup(new GroupFiles(), group).EndAsync().ConfigureAwait(false))
                Log.Left(logger, group, "processes are left in it");
            else if (record?.Path is null || TryRemove(record))
                File.Delete(path);
        }

        if (!Directory.EnumerateFiles(directory.Path, "*" + LedgerRecord.Extension).Any())
            directory.Remove();
        if (records.Count > 0)
            Log.Swept(logger, records.Count);
        return records.Count > 0;
    }

    private static LedgerRecord? Read(string path)
    {
        try
        {
            return LedgerRecord.Read(File.ReadAllBytes(path));
        }
        catch (IOException)
        {
            return null;
        }
    }

    private bool TryRemove(LedgerRecord record)
    {
        try
        {
            Remove(record);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.Left(logger, record.Path!, e.Message);
            return false;
        }
    }

    private static void Remove(LedgerRecord record)
    {
        // No link is followed on the way: directories there may be somebody's who would have others removed by this process.
        using var parent = WalkedDirectory.TryOpen(Path.GetDirectoryName(record.Path) ?? "/");
        var name = Path.GetFileName(record.Path!);
        if (parent is not null && (record.Born == 0 || IsThatFile(parent, name, record)))
            parent.Remove(name);
        var above = Path.GetDirectoryName(record.Path);
        for (var level = 0; level < record.Above && above is not null; level++, above = Path.GetDirectoryName(above))
        {
            using var folder = WalkedDirectory.TryOpen(Path.GetDirectoryName(above) ?? "/");
            folder?.RemoveIfEmpty(Path.GetFileName(above));
        }
    }

    private static bool IsThatFile(WalkedDirectory parent, string name, LedgerRecord record) =>
        parent.Look(name) is { } status
        && (status.Mode & LibcAt.TypeMask) == LibcAt.TypeRegular
        && status.Uid == record.Owner
        && Math.Abs((status.IsBirthKnown ? status.Born : status.Modified).Total - record.Born) < Moment;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Count} things that a crash had left were removed")]
        public static partial void Swept(ILogger logger, int count);

        [LoggerMessage(LogLevel.Warning, "{Path}, which a crash has left, cannot be removed: {Why}")]
        public static partial void Left(ILogger logger, string path, string why);

        [LoggerMessage(LogLevel.Warning, "Programs that a crash has left do not end, although they were killed")]
        public static partial void ProgramsLeft(ILogger logger);
    }
}
