namespace FurtherLink.Tests.Readme;

/// <summary>The READMEs of the packages: those beside project files.</summary>
internal static class PackageReadmes
{
    private static readonly string[] Places = ["FurtherLink.Core", "FurtherLink.Transports", "FurtherLink.Host"];

    /// <summary>Their paths in the repository.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Places.SelectMany(Projects).Select(Readme).Order(StringComparer.Ordinal)];

    private static string[] Projects(string place) => Directory.GetFiles(Path.Combine(Example.Root, place), "*.csproj", SearchOption.AllDirectories);

    private static string Readme(string project) => Path.GetRelativePath(Example.Root, Path.Combine(Path.GetDirectoryName(project)!, "README.md"));
}
