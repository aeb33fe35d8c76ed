using System.Collections;

namespace FurtherLink.Host.Configuration;

/// <summary>The existing server's environment variables (FURTHER_LINK_PORT) as settings.</summary>
/// <param name="variables">The environment.</param>
internal sealed class VariablesSource(IDictionary variables) : IConfigurationSource
{
    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => new Provider(variables);

    private sealed class Provider(IDictionary variables) : ConfigurationProvider
    {
        public override void Load()
        {
            foreach (var setting in Settings.All)
            {
                if (setting.Variable is { } variable && variables[variable] is string text && setting.FromVariable(text) is { } value)
                    Data[setting.Key] = value;
            }
        }
    }
}
