using FurtherLink.Messages;
using FurtherLink.Processes.Native;

namespace FurtherLink.Client;

/// <summary>Sends a directory in pieces, several under way at once. One object for one upload.</summary>
/// <param name="client">Sends it.</param>
/// <param name="files">What is sent: each file's path here and its path in the upload.</param>
/// <param name="progress">Told after each piece; null = nobody.</param>
internal sealed class ClientUpload(FurtherLinkClient client, IReadOnlyList<(string Source, string Path)> files, IProgress<TransferProgress>? progress)
{
    private const int Piece = 48 * 1024;

    // Enough for a way of 50 ms at 8 MB/s, and fewer than a connection may have calls.
    private const int UnderWay = 8;

    private readonly Queue<(Task<ServerMessage> Answer, int Bytes, bool EndsFile)> _answers = new();
    private readonly long _total = files.Sum(static file => new FileInfo(file.Source).Length);
    private long _bytes;
    private int _files;

    /// <summary>
    /// Finds the files of a directory, in all directories below; links to directories are not followed. What is no plain file is left out: a read of a
    /// pipe or a device may never end.
    /// </summary>
    /// <returns>The files, and the paths of what is left out.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static (IReadOnlyList<(string Source, string Path)> Files, IReadOnlyList<string> LeftOut) Find(string directory)
    {
        var options = new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false, RecurseSubdirectories = true };
        var found = new System.IO.Enumeration.FileSystemEnumerable<string>(directory, static (ref entry) => entry.ToFullPath(), options)
        {
            ShouldIncludePredicate = static (ref entry) => !entry.IsDirectory,
            ShouldRecursePredicate = static (ref entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };
        var all = found.Select(path => (Source: path, Path: Path.GetRelativePath(directory, path))).OrderBy(static file => file.Path, StringComparer.Ordinal).ToLookup(static file => IsFile(file.Source));
        return ([.. all[true]], [.. all[false].Select(static file => file.Path)]);
    }

    private static bool IsFile(string path) =>
        OperatingSystem.IsLinux()
            ? LibcAt.StatusOf(path, followLinks: true) is { } status && (status.Mode & LibcAt.TypeMask) == LibcAt.TypeRegular
            : File.Exists(path);

    /// <summary>Sends it; at its end the directory stands under its name, whole.</summary>
    /// <exception cref="LinkException">The server refuses it, or the connection is lost.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public async Task RunAsync(UploadBegin begin, CancellationToken cancellationToken)
    {
        var begun = await client.AskAsync(new Call("files.uploadBegin", begin), cancellationToken).ConfigureAwait(false);
        var upload = begun is Result { Body: UploadState state } ? state.Upload : throw new LinkException(FailureCode.NotSupported, "the server takes no uploads here");
        try
        {
            Report();
            foreach (var (source, path) in files)
                await SendAsync(upload, source, path, cancellationToken).ConfigureAwait(false);
            while (_answers.Count > 0)
                await TakeAnswerAsync().ConfigureAwait(false);
            await client.AskAsync(new Call("files.uploadEnd", new UploadEnd(upload)), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await CancelAsync(upload).ConfigureAwait(false);
            throw;
        }
    }

    private async Task SendAsync(string upload, string source, string path, CancellationToken cancellationToken)
    {
        var file = new FileStream(source, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan, BufferSize = 0 });
        await using (file.ConfigureAwait(false))
        {
            var isExecutable = !OperatingSystem.IsWindows() && File.GetUnixFileMode(file.SafeFileHandle).HasFlag(UnixFileMode.UserExecute);
            while (true)
            {
                var buffer = new byte[Piece];
                var length = await file.ReadAtLeastAsync(buffer, Piece, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                var piece = new UploadPiece(upload, path, buffer.AsMemory(0, length)) { Executable = isExecutable };
                while (_answers.Count >= UnderWay)
                    await TakeAnswerAsync().ConfigureAwait(false);
                var isLast = length < Piece;
                _answers.Enqueue((client.AskAsync(new Call("files.uploadFile", piece), cancellationToken), length, isLast));
                if (isLast)
                    return;
            }
        }
    }

    private async Task TakeAnswerAsync()
    {
        var (answer, bytes, endsFile) = _answers.Dequeue();
        await answer.ConfigureAwait(false);
        _bytes += bytes;
        _files += endsFile ? 1 : 0;
        Report();
    }

    private void Report() => progress?.Report(new TransferProgress(_bytes, Math.Max(_total, _bytes), _files, files.Count));

    private async Task CancelAsync(string upload)
    {
        while (_answers.TryDequeue(out var one))
            await ((Task)one.Answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await client.AskAsync(new Call("files.uploadCancel", new UploadEnd(upload)), CancellationToken.None).ConfigureAwait(false);
        }
        catch (LinkException)
        {
            // It went with the connection.
        }
    }
}
