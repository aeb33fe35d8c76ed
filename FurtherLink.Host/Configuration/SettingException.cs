using System.Diagnostics.CodeAnalysis;

namespace FurtherLink.Host.Configuration;

/// <summary>Mistakes in the configuration, in words; the host prints them and ends with exit code 2.</summary>
/// <param name="mistakes">One sentence for each, beginning with the setting's name.</param>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "A mistake without words helps nobody.")]
internal sealed class SettingException(params IReadOnlyList<string> mistakes) : Exception(string.Join(Environment.NewLine, mistakes))
{
    /// <summary>One sentence for each, beginning with the setting's name.</summary>
    public IReadOnlyList<string> Mistakes { get; } = mistakes;
}
