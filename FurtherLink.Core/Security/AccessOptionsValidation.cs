using Microsoft.Extensions.Options;

namespace FurtherLink.Security;

/// <summary>Finds, before anybody is let in, what is wrong with the files that <see cref="AccessOptions"/> names.</summary>
internal sealed class AccessOptionsValidation : IValidateOptions<AccessOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, AccessOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = options.FindFaults();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
