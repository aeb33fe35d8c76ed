using FurtherLink.Processes;

namespace FurtherLink.Device;

/// <summary>A name in an open directory, and the open directories on the way to it. Disposing closes them.</summary>
/// <param name="root">Where the way begins; not closed.</param>
internal sealed class Place(Folder root) : IDisposable
{
    private readonly List<(string Name, Folder Folder, bool Made)> _way = [];

    /// <summary>The directory that the name stands in.</summary>
    public Folder Parent => _way.Count > 0 ? _way[^1].Folder : root;

    /// <summary>The name.</summary>
    public string Leaf { get; set; } = "";

    /// <summary>The first name of the way from the root, links resolved.</summary>
    public string First => _way.Count > 0 ? _way[0].Name : Leaf;

    /// <summary>The directories on the way, from the root down, without it.</summary>
    public IEnumerable<Folder> Way => _way.Select(static one => one.Folder);

    /// <summary>How many directories at the end of the way were missing and have been made.</summary>
    public int Made => _way.Count - 1 - _way.FindLastIndex(static one => !one.Made);

    /// <summary>Goes into a directory; a missing one is made.</summary>
    public void Descend(string name, UserAccount? owner)
    {
        var folder = Parent.OpenOrMake(name, owner, out var made);
        _way.Add((name, folder, made));
    }

    /// <summary>Goes back to the directory above.</summary>
    /// <returns>False at the root.</returns>
    public bool TryAscend()
    {
        if (_way.Count == 0)
            return false;
        var (name, folder, made) = _way[^1];
        folder.Dispose();
        _way.RemoveAt(_way.Count - 1);
        if (made)
            Parent.RemoveIfEmpty(name);
        return true;
    }

    /// <summary>Removes the directories that were made on the way, unless something is in them by now.</summary>
    public void Undo()
    {
        while (TryAscend())
            continue;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, folder, _) in _way)
            folder.Dispose();
        _way.Clear();
    }
}
