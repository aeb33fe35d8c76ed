using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>Carries out the parts of a diff, one file at a time; one that fails leaves its file as it was and the others go on.</summary>
internal sealed class PatchRun(Func<string, string> resolve, string basePath, IPatchedFiles files)
{
    /// <summary>Carries out one part.</summary>
    /// <returns>What became of it: one outcome, or two where a file moves.</returns>
    public IReadOnlyList<PatchOutcome> Apply(FilePatch patch)
    {
        var path = patch.Path;
        try
        {
            if (patch.Fault is { } unreadable)
                return [PatchOutcome.Failed(patch, path, unreadable)];
            path = Resolve(patch.Path);
            return patch.Change switch
            {
                FileChange.Create => [Create(patch, path)],
                FileChange.Delete => [Delete(patch, path)],
                FileChange.Move => Move(patch, Resolve(patch.Source!), path),
                _ => [Modify(patch, path)],
            };
        }
        catch (PatchException e)
        {
            return [PatchOutcome.Failed(patch, path, e.Fault)];
        }
        catch (UnauthorizedAccessException)
        {
            return [PatchOutcome.Failed(patch, path, $"Permission denied: {path}")];
        }
        catch (Exception e) when (e is LinkException or IOException or ArgumentException or NotSupportedException)
        {
            return [PatchOutcome.Failed(patch, path, e.Message)];
        }
    }

    private PatchOutcome Create(FilePatch patch, string path)
    {
        if (files.Exists(path))
            throw new LinkException(FailureCode.AlreadyExists, $"File already exists: {path}");
        var content = Patched(patch, []);
        files.Write(path, content, patch.Executable);
        return new PatchOutcome(patch, path, FileChange.Create, content.Length);
    }

    private PatchOutcome Modify(FilePatch patch, string path)
    {
        var content = Patched(patch, files.Read(path));
        files.Write(path, content, patch.Executable);
        return new PatchOutcome(patch, path, FileChange.Modify, content.Length);
    }

    private PatchOutcome Delete(FilePatch patch, string path)
    {
        if (!files.Exists(path))
            throw new LinkException(FailureCode.NotFound, $"File not found: {path}");
        if (Directory.Exists(path) && new FileInfo(path).LinkTarget is null)
            throw new LinkException(FailureCode.Failed, $"Path is not a file: {path}");
        if (!patch.Unconditional && Patched(patch, files.Read(path)).Length > 0)
            throw new PatchException(new DiffFault("line 1: the file holds more than the diff takes away", 1));
        files.Delete(path);
        return new PatchOutcome(patch, path, FileChange.Delete, 0);
    }

    private PatchOutcome[] Move(FilePatch patch, string from, string to)
    {
        if (!files.Exists(from))
            throw new LinkException(FailureCode.NotFound, $"File not found: {from}");
        if (files.Exists(to))
            throw new LinkException(FailureCode.AlreadyExists, $"File already exists: {to}");
        long written = 0;
        if (patch.Hunks.Count == 0 && patch.Executable is null)
        {
            files.Move(from, to);
        }
        else
        {
            var content = Patched(patch, files.Read(from));
            files.Move(from, to);
            files.Write(to, content, patch.Executable);
            written = content.Length;
        }

        return
        [
            new PatchOutcome(patch with { Path = patch.Source! }, from, FileChange.Delete, 0),
            new PatchOutcome(patch, to, FileChange.Create, written),
        ];
    }

    private string Resolve(string path) => resolve(Path.Combine(basePath, path));

    private static byte[] Patched(FilePatch patch, byte[] original) =>
        PatchedText.TryApply(original, patch.Hunks, out var patched, out var fault) ? patched : throw new PatchException(fault);

    private sealed class PatchException(DiffFault fault) : Exception(fault.Message)
    {
        public DiffFault Fault { get; } = fault;
    }
}
