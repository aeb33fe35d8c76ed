using FurtherLink.Processes;
using FurtherLink.Processes.Leftovers;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Device;

/// <summary>
/// A directory's new content, written beside it and swapped in by rename: others see the old content or the new, never half of it.
/// Disposing removes what is left: the new content where it was not put in place, otherwise the old.
/// </summary>
internal sealed partial class StagedDirectory : IDisposable
{
    private readonly Place _place;
    private readonly string _temporary = Folder.TemporaryName();
    private readonly ILogger _logger;
    private readonly IDisposable? _note;
    private bool _replaced;
    private bool _committed;

    private StagedDirectory(Place place, UserAccount? owner, ILogger logger, Ledger? ledger)
    {
        _place = place;
        _logger = logger;
        _note = ledger?.Note(System.IO.Path.Combine(place.Parent.RealPath, _temporary), place.Made);
        try
        {
            Content = place.Parent.OpenOrMake(_temporary, owner, out _);
        }
        catch
        {
            _note?.Dispose();
            throw;
        }
    }

    /// <summary>The new content.</summary>
    public Folder Content { get; }

    /// <summary>Begins an empty directory beside a place, which it takes over.</summary>
    /// <param name="root">What the place is in.</param>
    /// <param name="path">The place.</param>
    /// <param name="what">What it names, for messages.</param>
    /// <param name="logger">Where is said what cannot be removed.</param>
    /// <param name="ledger">Where the new content is written down for the case of a crash; null = nowhere.</param>
    /// <exception cref="IOException">The place is taken by something that is no directory, or nothing can be made there.</exception>
    public static StagedDirectory Create(ConfinedRoot root, RelativePath path, string what, ILogger logger, Ledger? ledger = null)
    {
        var place = root.Resolve(path, what);
        try
        {
            if (UrlCache.IsFolder(place.First))
                throw RelativePath.Forbidden(path.ToString(), what, "is the cache of fetched files");
            if (place.Parent.Look(place.Leaf) is { IsDirectory: false })
                throw new IOException($"{path} is not a directory");
            return new StagedDirectory(place, root.DirectoryOwner, logger, ledger);
        }
        catch
        {
            place.Undo();
            place.Dispose();
            throw;
        }
    }

    /// <summary>Puts the new content in place; the old one is kept until this is disposed.</summary>
    /// <exception cref="IOException">It cannot be; the old content stands.</exception>
    public void Swap()
    {
        _replaced = _place.Parent.Look(_place.Leaf) is not null;
        if (_replaced)
            Exchange();
        else
            _ = _place.Parent.Rename(_temporary, _place.Leaf);
        _committed = true;
    }

    /// <summary>Takes back a swap: the old content, or nothing, stands again.</summary>
    public void SwapBack()
    {
        if (!_committed)
            return;
        if (_replaced)
            Exchange();
        else
            _ = _place.Parent.Rename(_place.Leaf, _temporary);
        _committed = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Content.Dispose();
        try
        {
            _place.Parent.Remove(_temporary);
        }
        catch (IOException e)
        {
            Log.LeftOver(_logger, _temporary, e.Message);
        }
        if (!_committed)
            _place.Undo();
        _note?.Dispose();
        _place.Dispose();
    }

    private void Exchange()
    {
        var folder = _place.Parent;
        if (folder.Rename(_temporary, _place.Leaf, exchange: true))
            return;
        // This file system knows no exchange: three renames, with the first taken back where the second fails.
        var aside = Folder.TemporaryName();
        _ = folder.Rename(_place.Leaf, aside);
        try
        {
            _ = folder.Rename(_temporary, _place.Leaf);
        }
        catch (IOException)
        {
            _ = folder.Rename(aside, _place.Leaf);
            throw;
        }
        _ = folder.Rename(aside, _temporary);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Name} is left over from an upload and cannot be removed: {Why}")]
        public static partial void LeftOver(ILogger logger, string name, string why);
    }
}
