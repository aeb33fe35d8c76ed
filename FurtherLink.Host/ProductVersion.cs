using System.Reflection;

namespace FurtherLink.Host;

/// <summary>What version this is.</summary>
internal static class ProductVersion
{
    /// <summary>The version as packages have it: "6.0.0".</summary>
    public static string Text { get; } =
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
