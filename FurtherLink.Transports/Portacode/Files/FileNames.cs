using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Names of new entries, and the folders that they are to stand in.</summary>
internal static class FileNames
{
    /// <summary>An argument that must be one name: not empty, no dots alone, no separator.</summary>
    /// <exception cref="LinkException">It is something else.</exception>
    public static string Require(PortacodeRequest request, string argument)
    {
        var name = request.RequireText(argument);
        return name is "." or ".." || name.AsSpan().ContainsAny('/', '\0') ? throw new LinkException(FailureCode.BadValue, $"Invalid name: {name}") : name;
    }

    /// <summary>The path of an entry, as its folder was named.</summary>
    public static string Join(string folder, string name) => folder.EndsWith('/') ? folder + name : $"{folder}/{name}";

    /// <summary>Opens a folder that must be there.</summary>
    /// <exception cref="LinkException">It is not there, is no folder, or outside the root.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public static HeldFolder OpenParent(DevicePath path)
    {
        var status = path.Look() ?? throw new LinkException(FailureCode.NotFound, $"Directory not found: {path.Given}");
        return status.IsDirectory ? path.OpenFolder() : throw new LinkException(FailureCode.BadValue, $"Path is not a directory: {path.Given}");
    }
}
