using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.Portacode;

/// <summary>Finds, before anything is started, what is wrong with <see cref="PortacodeOptions"/> that the properties cannot tell.</summary>
internal sealed class PortacodeOptionsValidation : IValidateOptions<PortacodeOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, PortacodeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var mistakes = Find(options).ToList();
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static IEnumerable<string> Find(PortacodeOptions options)
    {
        if (options.GatewayUrl is not null && string.IsNullOrEmpty(options.KeyDirectory))
            yield return "Portacode:KeyDirectory is missing: GatewayUrl is set, so it must say where the device's key is, or is to be made";
        if (options.FileRoot is { } root && (root.Length == 0 || root.Contains('\0')))
            yield return $"Portacode:FileRoot: \"{root}\" must name a folder; leave it out for the whole device";
        foreach (var limit in options.Bandwidth.Where(static limit => limit.Value < 0))
            yield return $"Portacode:Bandwidth:{limit.Key}: \"{limit.Value}\" must be a whole number of at least 0";
        if (!Enum.IsDefined(options.OnRejected))
            yield return $"Portacode:OnRejected: \"{options.OnRejected}\" must be one of {string.Join(", ", Enum.GetNames<KeyRejection>())}";
    }
}
