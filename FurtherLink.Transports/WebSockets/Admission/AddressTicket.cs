namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>One of what is under way from an address.</summary>
/// <param name="limit">Counts it.</param>
/// <param name="source">From where.</param>
internal sealed class AddressTicket(AddressLimit limit, AddressLimit.Source source) : IDisposable
{
    /// <summary>From where.</summary>
    public AddressLimit.Source Source { get; } = source;

    /// <summary>Whether nobody is known of it.</summary>
    public Func<bool> IsUnknown { get; set; } = static () => false;

    /// <summary>Counts it among those of whom nobody is known.</summary>
    /// <returns>False where there are too many.</returns>
    public bool TryStayUnknown() => limit.TryStayUnknown(this);

    /// <inheritdoc/>
    public void Dispose() => limit.Leave(this);
}
