using System.Globalization;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.Gatt;

/// <summary>Finds, before anything is started, what is wrong with <see cref="GattOptions"/>.</summary>
internal sealed class GattOptionsValidation : IValidateOptions<GattOptions>
{
    private const int MaxWord = 0xFFFF;

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, GattOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var mistakes = Find(options).ToList();
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static IEnumerable<string> Find(GattOptions options)
    {
        if (options.Adapter is { } adapter && (!adapter.StartsWith("hci", StringComparison.Ordinal) || !adapter.AsSpan(3).ContainsAnyInRange('0', '9') || adapter.AsSpan(3).ContainsAnyExceptInRange('0', '9')))
            yield return $"Bluetooth:Adapter: \"{adapter}\" must be the name of an adapter, such as hci0";
        if (options.Name is { Length: 0 or > 248 })
            yield return "Bluetooth:Name: it must have 1 to 248 characters";
        if (options.Rate < 100)
            yield return string.Create(CultureInfo.InvariantCulture, $"Bluetooth:Rate: {options.Rate} must be at least 100 bytes a second");
        if (options.ClientTimeout < TimeSpan.FromSeconds(1))
            yield return $"Bluetooth:ClientTimeout: {options.ClientTimeout:c} must be at least 1 s";
        if (options.MaxClientsPerDevice < 1)
            yield return string.Create(CultureInfo.InvariantCulture, $"Bluetooth:MaxClientsPerDevice: {options.MaxClientsPerDevice} must be at least 1");
        if (options.MaxMessage < 1024)
            yield return string.Create(CultureInfo.InvariantCulture, $"Bluetooth:MaxMessage: {options.MaxMessage} must be at least 1024 bytes");
        if (options.RetryDelay < TimeSpan.FromMilliseconds(100))
            yield return $"Bluetooth:RetryDelay: {options.RetryDelay:c} must be at least 100 ms";
        var information = options.Information;
        if (information.Vendor is < 0 or > MaxWord || information.Product is < 0 or > MaxWord || information.ProductVersion is < 0 or > MaxWord)
            yield return "Bluetooth:Information: Vendor, Product and ProductVersion are numbers from 0 to 65535";
        if (information.SystemId is { } id && !(id.Length == 16 && id.All(char.IsAsciiHexDigit)))
            yield return $"Bluetooth:Information:SystemId: \"{id}\" must be 16 hexadecimal digits";
    }
}
