namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>A value that centrals read, write or are notified of. Called on the bus's thread.</summary>
/// <param name="uuid">Its UUID.</param>
internal abstract class Characteristic(string uuid)
{
    /// <summary>Its UUID.</summary>
    public string Uuid { get; } = uuid;

    /// <summary>Whether it can be read.</summary>
    public virtual bool Reads => false;

    /// <summary>Whether it can be written.</summary>
    public virtual bool Writes => false;

    /// <summary>Where its notifications go; null = it has none.</summary>
    public virtual NotifyChannel? Notifications => null;

    /// <summary>Reads it.</summary>
    /// <param name="central">Who, and from which byte.</param>
    /// <returns>The rest of the value.</returns>
    /// <exception cref="BluezException">It cannot be read so.</exception>
    public virtual ReadOnlyMemory<byte> Read(Central central) => throw new BluezException(BluezNames.Errors.NotSupported, "it cannot be read");

    /// <summary>Writes it.</summary>
    /// <param name="central">Who.</param>
    /// <param name="value">What; the callee's from now on.</param>
    /// <returns>Completes when the central may write on.</returns>
    /// <exception cref="BluezException">It cannot be written so.</exception>
    public virtual ValueTask WriteAsync(Central central, ReadOnlyMemory<byte> value) =>
        throw new BluezException(BluezNames.Errors.NotSupported, "it cannot be written");

    /// <summary>A central has gone: what is kept for it goes, too.</summary>
    /// <param name="device">The path of its object.</param>
    public virtual void Forget(string device)
    {
    }

    /// <summary>The rest of a value from an offset.</summary>
    /// <exception cref="BluezException">The value is shorter.</exception>
    protected static ReadOnlyMemory<byte> From(ReadOnlyMemory<byte> value, int offset) => offset <= value.Length
        ? value[offset..]
        : throw new BluezException(BluezNames.Errors.InvalidOffset, $"the value has {value.Length} bytes");
}
