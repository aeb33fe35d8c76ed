namespace FurtherLink.Transports.Portacode.Clients;

/// <summary>Whom an event is for.</summary>
/// <param name="Announced">Whether the gateway has told of client sessions: until it has, events go out without saying for whom, to all.</param>
/// <param name="Listed">Whether it has told of them by a list, and expects the names in "client_sessions" too.</param>
/// <param name="Clients">The client sessions, each once.</param>
internal sealed record Targets(bool Announced, bool Listed, IReadOnlyList<string> Clients)
{
    /// <summary>Whether the event is sent at all.</summary>
    public bool IsSent => !Announced || Clients.Count > 0;
}
