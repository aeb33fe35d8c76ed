using System.Text.Json.Nodes;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Clients;

/// <summary>
/// The client sessions that a gateway has told of, by subscriptions with filters or as a list of dashboards and projects, and which of them are
/// interested in an event. Kept over reconnects until the gateway renews it. Thread safe.
/// </summary>
internal sealed class ClientSessions
{
    /// <summary>The most client sessions of a gateway.</summary>
    public const int MaxSessions = 10_000;

    /// <summary>The most filters of a client session.</summary>
    public const int MaxFilters = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, IReadOnlyList<Filter>> _subscribed = new(StringComparer.Ordinal);
    private Dictionary<string, ListedSession>? _listed;
    private readonly TaskCompletionSource _whenAnnounced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _announced;
    private int _version;

    /// <summary>Changes with everything that changes who is interested in what.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>Whether any client session was ever announced.</summary>
    public bool IsAnnounced => Volatile.Read(ref _announced);

    /// <summary>Completes when the first one is.</summary>
    public Task Announced => _whenAnnounced.Task;

    /// <summary>How many client sessions there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _subscribed.Count + (_listed?.Keys.Count(name => !_subscribed.ContainsKey(name)) ?? 0);
        }
    }

    /// <summary>A client session has connected, or has changed its filters.</summary>
    /// <exception cref="LinkException">There are too many.</exception>
    public void Subscribe(string client, IReadOnlyList<Filter> filters)
    {
        lock (_lock)
        {
            if (_subscribed.Count >= MaxSessions && !_subscribed.ContainsKey(client))
                throw new LinkException(FailureCode.Limited, $"a gateway may have {MaxSessions} client sessions");
            _subscribed[client] = filters;
            ChangedLocked();
        }
    }

    /// <summary>A client session has gone. Nothing happens where it was not known.</summary>
    public void Unsubscribe(string client)
    {
        lock (_lock)
        {
            if (_subscribed.Remove(client))
                ChangedLocked();
        }
    }

    /// <summary>The whole list of client sessions as it is now.</summary>
    /// <returns>Those that were not in the list before.</returns>
    public IReadOnlyList<ListedSession> SetList(IReadOnlyList<ListedSession> sessions)
    {
        lock (_lock)
        {
            var before = _listed;
            _listed = new Dictionary<string, ListedSession>(StringComparer.Ordinal);
            foreach (var session in sessions)
                _listed.TryAdd(session.Name, session);
            ChangedLocked();
            return [.. _listed.Values.Where(session => before?.ContainsKey(session.Name) != true)];
        }
    }

    /// <summary>Whom an event interests that answers no request.</summary>
    /// <param name="fields">Its fields, its name in "event" among them.</param>
    public Targets Interested(JsonObject fields)
    {
        lock (_lock)
        {
            if (!_announced)
                return new Targets(Announced: false, Listed: false, []);
            var clients = new List<string>();
            foreach (var (client, filters) in _subscribed)
            {
                if (filters.Any(filter => filter.Matches(fields)))
                    clients.Add(client);
            }

            if (_listed is not null)
            {
                var project = (string?)fields["project_id"];
                clients.AddRange(_listed.Values.Where(session => session.Follows(project)).Select(static session => session.Name).Where(name => !clients.Contains(name)));
            }

            return new Targets(Announced: true, _listed is not null, clients);
        }
    }

    /// <summary>The one whom an answer is for.</summary>
    public Targets Only(string? client)
    {
        lock (_lock)
            return new Targets(_announced, _listed is not null, client is null ? [] : [client]);
    }

    /// <summary>Whether any filter looks at one of these fields.</summary>
    public bool LooksAt(params ReadOnlySpan<string> names)
    {
        lock (_lock)
        {
            foreach (var filter in _subscribed.Values.SelectMany(static filters => filters))
            {
                foreach (var name in names)
                {
                    if (filter.Fields.Contains(name, StringComparer.Ordinal))
                        return true;
                }
            }

            return false;
        }
    }

    private void ChangedLocked()
    {
        _announced = true;
        _version++;
        _whenAnnounced.TrySetResult();
    }
}
