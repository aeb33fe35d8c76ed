using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>Files as a diff would leave them: what it changes is kept in memory, the disk stays as it is.</summary>
internal sealed class PreviewedFiles(IPatchedFiles disk) : IPatchedFiles
{
    // Null = it would be gone.
    private readonly Dictionary<string, byte[]?> _changed = new(StringComparer.Ordinal);

    /// <inheritdoc />
    public bool Exists(string path) => _changed.TryGetValue(path, out var content) ? content is not null : disk.Exists(path);

    /// <inheritdoc />
    public byte[] Read(string path)
    {
        if (!_changed.TryGetValue(path, out var content))
            return disk.Read(path);
        return content ?? throw new LinkException(FailureCode.NotFound, $"File not found: {path}");
    }

    /// <inheritdoc />
    public void Write(string path, byte[] content, bool? executable) => _changed[path] = content;

    /// <inheritdoc />
    public void Delete(string path) => _changed[path] = null;

    /// <inheritdoc />
    public void Move(string from, string to)
    {
        _changed[to] = Read(from);
        _changed[from] = null;
    }
}
