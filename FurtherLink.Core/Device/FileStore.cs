using System.IO.Pipelines;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Processes.Leftovers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>
/// Puts uploaded directories into a user's work directory: whole or not at all, confined to it, and given to the user. Thread safe.
/// </summary>
/// <remarks>
/// An upload is the JSON object that Further-Link's clients send to /upload; see <see cref="UploadAsync(ReadOnlyMemory{byte}, string?, CancellationToken)"/>.
/// The new content is written beside the directory and swapped in by rename. Nothing is reached through links that lead out.
/// </remarks>
public sealed partial class FileStore : IDisposable
{
    // What is worth to wake a thread for; Kestrel holds up to 1 MiB of a body that nobody takes.
    private const int Batch = 256 * 1024;

    private readonly LinkOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<string?, UserAccount?>? _findUser;
    private readonly Ledger? _ledger;
    private readonly UrlCache _cache;
    // Two uploads of one name write side by side; only their swaps take turns.
    private readonly Lock _swapping = new();

    /// <summary>Makes a store.</summary>
    /// <param name="options">Where the work and project directories are, and how much an upload may hold.</param>
    /// <param name="time">The clock of the progress in the log; null = the system's.</param>
    /// <param name="logger">Where progress and refusals are said; null = nowhere.</param>
    /// <param name="ledger">Where what is not yet in its place is written down for the case of a crash; null = nowhere.</param>
    public FileStore(IOptions<LinkOptions> options, TimeProvider? time = null, ILogger<FileStore>? logger = null, Ledger? ledger = null)
        : this(options, time, logger, findUser: null, ledger)
    {
    }

    /// <summary>Makes a store with users of its own.</summary>
    internal FileStore(IOptions<LinkOptions> options, TimeProvider? time, ILogger<FileStore>? logger, Func<string?, UserAccount?>? findUser, Ledger? ledger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Value;
        _time = time ?? TimeProvider.System;
        _logger = logger ?? NullLogger<FileStore>.Instance;
        _findUser = findUser;
        _ledger = ledger;
        _cache = new UrlCache(connectTimeout: TimeSpan.FromSeconds(10), stall: TimeSpan.FromSeconds(30), _time, _logger, ledger);
    }

    /// <summary>How many files an upload in pieces may have. Default 100 000.</summary>
    internal int MaxFiles { get; init; } = 100_000;

    /// <summary>Makes a file without a name, for a long content; null = on the file system where uploads go.</summary>
    internal Func<SafeFileHandle?>? MakesFile { get; init; }

    /// <summary>Reads an upload to its end and carries it out.</summary>
    /// <param name="body">The JSON in UTF-8; read until its end or until it is longer than <see cref="LinkOptions.MaxUpload"/>.</param>
    /// <param name="length">How many bytes will come, where that is known.</param>
    /// <param name="user">Whose files they are; null = the default user.</param>
    /// <param name="cancellationToken">Gives up; what was there before stays.</param>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    /// <exception cref="IOException">The body broke off.</exception>
    public async Task<UploadOutcome> UploadAsync(PipeReader body, long? length, string? user, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (length > _options.MaxUpload)
            return TooLarge(length.Value);
        var progress = new UploadProgress("a request", length ?? 0, _time, _logger);
        using var upload = new UploadBody(MakesFile ?? (() => TryMakeFile(user)), length ?? 0);
        long received = 0;
        while (true)
        {
            var result = await body.ReadAtLeastAsync((int)Math.Min(Batch, _options.MaxUpload - received + 1), cancellationToken).ConfigureAwait(false);
            // From here on it waits for disks, and this thread may be the one that waits for all sockets.
            if (!Thread.CurrentThread.IsThreadPoolThread)
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            received += result.Buffer.Length;
            try
            {
                if (received > _options.MaxUpload)
                    return TooLarge(Math.Max(length ?? 0, received));
                foreach (var piece in result.Buffer)
                    upload.Take(piece.Span);
            }
            catch (Exception e) when (IsRefusal(e))
            {
                return Refused(e);
            }
            finally
            {
                progress.Add(result.Buffer.Length);
                body.AdvanceTo(result.Buffer.End);
            }
            if (result.IsCompleted)
                return await CarryOutAsync(() => UploadInnerAsync(upload, user, cancellationToken)).ConfigureAwait(false);
        }
    }

    /// <summary>Carries an upload out.</summary>
    /// <param name="json">
    /// UTF-8: <c>{"name": dir, "files": {path: {"type", "content"}}, "username"}</c>, where type and content are "text" and
    /// <c>{"text"}</c>, "base64" and <c>{"base64"}</c>, or "url" and <c>{"url", "bucketName", "fileName"}</c>. Not copied: it must stay as it is until
    /// the task completes.
    /// </param>
    /// <param name="user">Whose files they are; null = the one the object names as "user", else the default user.</param>
    /// <param name="cancellationToken">Gives up; what was there before stays.</param>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public async Task<UploadOutcome> UploadAsync(ReadOnlyMemory<byte> json, string? user, CancellationToken cancellationToken)
    {
        if (json.Length > _options.MaxUpload)
            return TooLarge(json.Length);
        // Off the caller's thread: that may be the one all sockets wait on, and this one waits for disks.
        return await CarryOutAsync(() => Task.Run(() => UploadInnerAsync(json, contents: null, user, cancellationToken), cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Begins an upload whose files come in pieces. Nothing is seen under its name before <see cref="Finish"/>.</summary>
    /// <param name="name">The directory in the work directory.</param>
    /// <param name="user">Whose files they are; null = the default user.</param>
    /// <exception cref="LinkException">The name is forbidden, or there is no such user.</exception>
    /// <exception cref="IOException">Nothing can be made there.</exception>
    internal StagedUpload Begin(string name, string? user)
    {
        if (!OperatingSystem.IsLinux())
            throw new LinkException(FailureCode.NotSupported, "uploads need Linux");
        var path = RelativePath.Parse(name, "name");
        var account = Find(user);
        var work = WorkDirectories.OpenWork(_options, account);
        try
        {
            return new StagedUpload(work, StagedDirectory.Create(work, path, "name", _logger, _ledger), account, path, new UploadLimits(_options.MaxUpload, MaxFiles));
        }
        catch
        {
            work.Dispose();
            throw;
        }
    }

    /// <summary>Puts an upload in place as a whole.</summary>
    /// <exception cref="IOException">It cannot be; what was there before stands.</exception>
    internal void Finish(StagedUpload upload)
    {
        upload.Close();
        Swap(upload.Directory, null);
        Log.DoneInPieces(_logger, upload.Name.ToString(), upload.User.Name, upload.Files, upload.Bytes);
    }

    /// <inheritdoc/>
    public void Dispose() => _cache.Dispose();

    private async Task<UploadOutcome> CarryOutAsync(Func<Task<UploadOutcome>> upload)
    {
        try
        {
            return await upload().ConfigureAwait(false);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return Refused(e);
        }
    }

    private static bool IsRefusal(Exception e) => e is LinkException or IOException or UnauthorizedAccessException;

    private UploadOutcome Refused(Exception e)
    {
        Log.Refused(_logger, e.Message);
        return new UploadOutcome(e is LinkException { Code: FailureCode.BadMessage } ? UploadStatus.Invalid : UploadStatus.Failed, false, e.Message);
    }

    /// <summary>Makes a file without a name where the user's uploads go; null where that cannot be, or not yet.</summary>
    private SafeFileHandle? TryMakeFile(string? user)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            // A user whom the object names comes to light at its end: then it is copied to where theirs go.
            var account = Find(user);
            if (!WorkDirectories.HasWork(_options, account))
                return null;
            using var work = WorkDirectories.OpenWork(_options, account);
            return work.TryCreateUnnamed();
        }
        catch (Exception e) when (IsRefusal(e))
        {
            // Why, the upload itself will say.
            return null;
        }
    }

    private Task<UploadOutcome> UploadInnerAsync(UploadBody upload, string? user, CancellationToken cancellationToken)
    {
        upload.Check();
        return UploadInnerAsync(upload.Json, upload.Contents, user, cancellationToken);
    }

    private async Task<UploadOutcome> UploadInnerAsync(
        ReadOnlyMemory<byte> json, IReadOnlyDictionary<int, UploadContent>? contents, string? user, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            throw new LinkException(FailureCode.NotSupported, "uploads need Linux");
        var began = _time.GetTimestamp();
        using var upload = Upload.Parse(json, contents);
        var name = user ?? upload.User;
        var account = Find(name);
        using var work = WorkDirectories.OpenWork(_options, account);
        var progress = new UploadProgress(upload.Name.ToString(), upload.Files.Sum(f => f.Weight), _time, _logger);

        using var directory = StagedDirectory.Create(work, upload.Name, "name", _logger, _ledger);
        var missing = new HashSet<UploadFile>();
        foreach (var file in upload.Files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!await AddAsync(file, directory.Content, work, cancellationToken).ConfigureAwait(false))
                missing.Add(file);
            progress.Add(file.Weight);
        }

        if (upload.ProjectOwner is { } owner)
        {
            using var projects = WorkDirectories.OpenProjects(_options, account);
            using var project = StagedDirectory.Create(projects, upload.Name.Below(owner), "project", _logger, _ledger);
            foreach (var file in upload.Files)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!missing.Contains(file))
                    AddCopy(file, project.Content, projects, work);
            }
            upload.CloseContents();
            Swap(directory, project);
        }
        else
        {
            upload.CloseContents();
            Swap(directory, null);
        }
        Log.Done(
            _logger, upload.Name.ToString(), account.Name, upload.Files.Count - missing.Count, missing.Count,
            _time.GetElapsedTime(began).TotalMilliseconds);
        return new UploadOutcome(UploadStatus.Done, missing.Count == 0, null) { Directory = upload.Name.ToString(), User = account.Name };
    }

    /// <summary>Adds a file to the new directory.</summary>
    /// <returns>False where the file is to be fetched and the network is out of reach.</returns>
    private async Task<bool> AddAsync(UploadFile file, Folder content, ConfinedRoot work, CancellationToken cancellationToken)
    {
        if (file.Address is null)
        {
            using var place = PlaceIn(content, file.Path, work);
            file.Write(place, work);
            return true;
        }
        var cached = await _cache.EnsureAsync(work, file, cancellationToken).ConfigureAwait(false);
        if (cached is null)
        {
            Log.OutOfReach(_logger, file.Path.ToString(), file.Address);
            return false;
        }
        using (var place = PlaceIn(content, file.Path, work))
            place.Parent.Link(place.Leaf, cached, work.FileOwner);
        return true;
    }

    /// <summary>Adds a file to a project's copy: links are not kept, what they lead to is. What is no plain file there is left out.</summary>
    private static void AddCopy(UploadFile file, Folder content, ConfinedRoot projects, ConfinedRoot work)
    {
        using var place = PlaceIn(content, file.Path, projects);
        if (file.Address is null)
        {
            file.Write(place, projects, isCopy: true);
            return;
        }
        using var source = UrlCache.TryRead(work, file);
        if (source is null)
            return;
        using var target = place.Parent.Create(place.Leaf, projects.FileOwner);
        UploadContent.Copy(source, target);
    }

    /// <summary>Finds the place of a file in a new directory, making the directories above it.</summary>
    internal static Place PlaceIn(Folder content, RelativePath path, ConfinedRoot root)
    {
        // The directory is new and ours, so what is on the way is a directory or a mistake of the upload.
        var place = new Place(content);
        try
        {
            foreach (var name in path.Parts.SkipLast(1))
                place.Descend(name, root.DirectoryOwner);
            place.Leaf = path.Parts[^1];
            return place;
        }
        catch
        {
            place.Dispose();
            throw;
        }
    }

    private void Swap(StagedDirectory directory, StagedDirectory? project)
    {
        lock (_swapping)
        {
            directory.Swap();
            try
            {
                project?.Swap();
            }
            catch (IOException)
            {
                directory.SwapBack();
                throw;
            }
        }
    }

    [SupportedOSPlatform("linux")]
    private UserAccount Find(string? name) =>
        (_findUser is null ? FindUser(name) : _findUser(name)) ?? throw new LinkException(FailureCode.Failed, $"there is no user \"{name}\" on this device");

    [SupportedOSPlatform("linux")]
    private UserAccount? FindUser(string? name) => name is null ? UserAccount.FindDefault(_options.DefaultUser) : UserAccount.TryFind(name);

    private UploadOutcome TooLarge(long length)
    {
        var reason = $"Maximum request body size {_options.MaxUpload} exceeded, actual body size {length}";
        Log.Refused(_logger, reason);
        return new UploadOutcome(UploadStatus.TooLarge, false, reason);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Uploaded {Name} for {User}: {Files} files, {Missing} left out, in {Milliseconds:F0} ms")]
        public static partial void Done(ILogger logger, string name, string user, int files, int missing, double milliseconds);

        [LoggerMessage(LogLevel.Information, "Uploaded {Name} for {User} in pieces: {Files} files, {Bytes} bytes")]
        public static partial void DoneInPieces(ILogger logger, string name, string user, int files, long bytes);

        [LoggerMessage(LogLevel.Information, "{File} is left out of an upload: {Address} is out of reach")]
        public static partial void OutOfReach(ILogger logger, string file, Uri address);

        [LoggerMessage(LogLevel.Information, "Upload refused, nothing changed: {Reason}")]
        public static partial void Refused(ILogger logger, string reason);
    }
}
