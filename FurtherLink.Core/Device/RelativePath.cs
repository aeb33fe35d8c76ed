using FurtherLink.Messages;

namespace FurtherLink.Device;

/// <summary>A path inside some directory, checked part by part: never empty, absolute, or leading out by "..".</summary>
/// <param name="Parts">The names from the directory down; none is empty, "." or "..".</param>
internal readonly record struct RelativePath(IReadOnlyList<string> Parts)
{
    // What is made must be within reach of a path from the root, of which PATH_MAX allows 4095 bytes: an upload's name, a path in it, and where they stand.
    private const int MaxBytes = 1024;

    /// <summary>Reads a path whose parts stay inside.</summary>
    /// <param name="text">The path; "." is dropped and ".." taken back before any file system is looked at.</param>
    /// <param name="what">What it names, for the message.</param>
    /// <exception cref="LinkException">It is empty, absolute, longer than 1024 bytes, holds a NUL, or leads out.</exception>
    public static RelativePath Parse(string text, string what)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            throw Forbidden(text, what, "holds a NUL");
        if (System.Text.Encoding.UTF8.GetByteCount(text) > MaxBytes)
            throw new LinkException(FailureCode.Failed, $"the {what} is a forbidden path: it is longer than {MaxBytes} bytes");
        if (text.StartsWith('/'))
            throw Forbidden(text, what, "is absolute");
        var parts = new List<string>();
        foreach (var part in text.Split('/'))
        {
            if (part is "" or ".")
                continue;
            if (part != "..")
                parts.Add(part);
            else if (parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else
                throw Forbidden(text, what, "leads out of its directory");
        }
        return parts.Count > 0 ? new RelativePath(parts) : throw Forbidden(text, what, "names no entry of its directory");
    }

    /// <summary>Reads the path of a file: as <see cref="Parse"/>, and it must end in a name.</summary>
    /// <exception cref="LinkException">As <see cref="Parse"/>, or it ends in "/", "." or "..".</exception>
    public static RelativePath ParseFile(string text, string what)
    {
        var path = Parse(text, what);
        var last = text[(text.LastIndexOf('/') + 1)..];
        return last is "" or "." or ".." ? throw Forbidden(text, what, "does not end in a file's name") : path;
    }

    /// <summary>Reads a single name.</summary>
    /// <exception cref="LinkException">It is empty, ".", "..", or holds a "/" or NUL.</exception>
    public static string ParseName(string text, string what) =>
        text is "" or "." or ".." || text.Contains('/', StringComparison.Ordinal) || text.Contains('\0', StringComparison.Ordinal)
            ? throw Forbidden(text, what, "is not a single name")
            : text;

    /// <summary>This path below others.</summary>
    public RelativePath Below(params ReadOnlySpan<string> parents) => new([.. parents, .. Parts]);

    /// <summary>The part of an absolute path that lies below a directory, by whole names; null where it does not.</summary>
    public static string? Inside(string path, string directory)
    {
        directory = directory.TrimEnd('/');
        if (!path.StartsWith(directory, StringComparison.Ordinal))
            return null;
        var rest = path[directory.Length..];
        return rest.Length == 0 || rest[0] == '/' ? rest.TrimStart('/') : null;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join('/', Parts);

    /// <summary>The refusal of a path.</summary>
    internal static LinkException Forbidden(string text, string what, string why) =>
        new(FailureCode.Failed, $"the {what} \"{text.Replace("\0", "\\0", StringComparison.Ordinal)}\" is a forbidden path: it {why}");
}
