using System.Text.Json.Nodes;
using FurtherLink.Peers;
using FurtherLink.Transports.Portacode.Clients;

namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>A session that a gateway sees as a terminal, over all connections of the gateway. Thread safe.</summary>
/// <param name="id">The session's global id, which is the terminal's id and channel.</param>
/// <param name="project">The project it belongs to; null = none.</param>
internal sealed class GatewayTerminal(string id, string? project)
{
    private readonly Lock _lock = new();
    private Targets? _targets;
    private int _version = -1;
    private bool _eachMatters;

    /// <summary>The terminal's id and channel.</summary>
    public string Id { get; } = id;

    /// <summary>The project it belongs to; null = none.</summary>
    public string? Project { get; } = project;

    /// <summary>The attachment of the connection there is, or of the last one there was.</summary>
    public Attachment? Attachment { get; set; }

    /// <summary>Whether it is being stopped: it is not listed any more.</summary>
    public bool IsStopping { get; set; }

    /// <summary>The fields that its events have in common.</summary>
    public JsonObject Event(string name) => new()
    {
        ["event"] = name,
        ["terminal_id"] = Id,
        ["channel"] = Id,
        ["device_channel"] = Id,
        ["project_id"] = Project,
    };

    /// <summary>Whom its output interests, as far as that is the same for every piece of it.</summary>
    /// <param name="sessions">The client sessions.</param>
    public Targets Targets(ClientSessions sessions) => Targets(sessions, out _);

    /// <summary>Whom its output interests, as far as that is the same for every piece of it.</summary>
    /// <param name="sessions">The client sessions.</param>
    /// <param name="eachMatters">Whether a filter looks at what differs from piece to piece.</param>
    public Targets Targets(ClientSessions sessions, out bool eachMatters)
    {
        lock (_lock)
        {
            var version = sessions.Version;
            if (_targets is null || _version != version)
            {
                _targets = sessions.Interested(Event("terminal_data"));
                _eachMatters = sessions.LooksAt("data", "offset", "next_offset");
                _version = version;
            }

            eachMatters = _eachMatters;
            return _targets;
        }
    }
}
