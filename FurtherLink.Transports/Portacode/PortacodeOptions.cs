namespace FurtherLink.Transports.Portacode;

/// <summary>Settings of the device behind a Portacode gateway; section "FurtherLink:Portacode" of the configuration.</summary>
public sealed class PortacodeOptions
{
    /// <summary>The folder that file actions must stay in, links resolved; null, the default = the whole device, as terminals reach it too.</summary>
    public string? FileRoot { get; set; }
}
