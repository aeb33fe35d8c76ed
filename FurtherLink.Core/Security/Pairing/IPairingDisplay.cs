namespace FurtherLink.Security.Pairing;

/// <summary>Shows a person at the device the code of a pairing window. All that are registered are told. Thread safe.</summary>
public interface IPairingDisplay
{
    /// <summary>A window has opened: its code is to be shown until <see cref="PairingWindow.Outcome"/> completes. Must neither wait nor throw.</summary>
    void Show(PairingWindow window);
}
