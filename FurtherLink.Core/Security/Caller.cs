namespace FurtherLink.Security;

/// <summary>From where somebody connects.</summary>
/// <param name="Address">What limits count and logs show: an IP address without its port, or "unix", "stdio".</param>
/// <param name="IsLocal">Whether it is a program on this device.</param>
public sealed record Caller(string Address, bool IsLocal)
{
    /// <summary>Somebody within this process, or whom the transport knows nothing of.</summary>
    public static Caller Here { get; } = new("here", IsLocal: true);
}
