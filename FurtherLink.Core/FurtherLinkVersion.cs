using System.Reflection;

namespace FurtherLink;

/// <summary>Which FurtherLink this is.</summary>
public static class FurtherLinkVersion
{
    /// <summary>Three numbers, "6.0.0", as clients compare them; what may follow in the package's version is left off.</summary>
    public static string Current { get; } = Numbers(
        typeof(FurtherLinkVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0");

    private static string Numbers(string version)
    {
        var end = version.AsSpan().IndexOfAny('-', '+');
        return end < 0 ? version : version[..end];
    }
}
