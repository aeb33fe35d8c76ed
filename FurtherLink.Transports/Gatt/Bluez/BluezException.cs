namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>What BlueZ is answered where a call of it cannot be carried out.</summary>
/// <param name="error">One of <see cref="BluezNames.Errors"/>.</param>
/// <param name="message">In words.</param>
internal sealed class BluezException(string error, string message) : Exception(message)
{
    /// <summary>The error's name on the bus.</summary>
    public string Error { get; } = error;
}
