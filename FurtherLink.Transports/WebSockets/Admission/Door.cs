using FurtherLink.Messages;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>What an endpoint asks of those who want in, beyond a host name that is this device's.</summary>
/// <param name="IsGuarded">Whether pages of foreign origins are refused; otherwise they get an answer that they cannot read.</param>
/// <param name="Identifies">Whether it is found out who is there.</param>
/// <param name="Needed">What they must be allowed to do; nothing = nobody need be known.</param>
internal sealed record Door(bool IsGuarded, bool Identifies, Access Needed)
{
    /// <summary>Everybody: nothing is done and nothing is told.</summary>
    public static Door Open { get; } = new(IsGuarded: false, Identifies: false, Access.None);

    /// <summary>Where credentials are handed in and given out.</summary>
    public static Door Entry { get; } = new(IsGuarded: true, Identifies: false, Access.None);

    /// <summary>A WebSocket whose first message may say who is there.</summary>
    public static Door Socket { get; } = new(IsGuarded: true, Identifies: true, Access.None);

    /// <summary>Those who have a right.</summary>
    public static Door For(Access needed) => new(IsGuarded: true, Identifies: true, needed);
}
