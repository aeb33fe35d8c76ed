namespace FurtherLink.Tests.Portacode;

/// <summary>The three ways in which gateways spell requests.</summary>
public enum Spelling
{
    /// <summary>device_channel, command, arguments nested in payload, client_channel.</summary>
    Document,

    /// <summary>channel, cmd, arguments beside it, reply_channel.</summary>
    Legacy,

    /// <summary>channel, cmd, arguments beside it, source_client_session.</summary>
    Current,
}
