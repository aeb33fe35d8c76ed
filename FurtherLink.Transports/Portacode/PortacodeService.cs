using System.Collections.Frozen;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Transports.Portacode.Clients;
using FurtherLink.Transports.Portacode.Gateways;
using FurtherLink.Transports.Portacode.Terminals;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Transports.Portacode;

/// <summary>
/// Carries out what gateways ask for. What changes who is told what, and lists, are done at once and in order; all else runs beside the connection,
/// so that nothing slow holds up what comes behind it. Thread safe.
/// </summary>
/// <param name="terminals">The terminals.</param>
/// <param name="exec">Commands that run once.</param>
/// <param name="actions">All other actions.</param>
/// <param name="audit">Is told what they change.</param>
/// <param name="logger">Where faults of ours are told.</param>
internal sealed partial class PortacodeService(
    TerminalActions terminals, ExecAction exec, IEnumerable<IActions> actions, ChangeAudit audit, ILogger<PortacodeService> logger) : IService
{
    // What changes nothing and shows no more than a terminal's screen.
    private static readonly FrozenSet<string> Looking = new[]
    {
        "open", "refused", "session_subscribe", "client_sessions_update", "terminal_list", "terminal_replay", "system_info",
    }.ToFrozenSet(StringComparer.Ordinal);

    private readonly FrozenDictionary<string, ActionHandler> _handlers =
        actions.SelectMany(static some => some.Handlers).ToFrozenDictionary(static pair => pair.Key, static pair => pair.Value, StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Name => "portacode";

    /// <inheritdoc/>
    public Access Needs(Call call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return Looking.Contains(Action(call)) ? Access.View : Access.Drive;
    }

    /// <inheritdoc/>
    public async ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(peer);
        var gateway = (Gateway)peer.Tag!;
        // Its actions on files are the device's own, and its lists have everybody's terminals.
        if (peer.Grant is { Users: not null } or { SeesOthers: false })
            throw new LinkException(FailureCode.Denied, $"a gateway sees all terminals and works as any user, which {peer.Grant.Name} may not");
        if (call.Body is LinkException fault)
            throw new LinkException(fault.Code, fault.Message, fault);
        if (call is { Name: "portacode.open", Body: null })
        {
            terminals.Open(gateway, peer);
            return null;
        }

        var request = (PortacodeRequest)call.Body!;
        switch (request.Name)
        {
            case "session_subscribe":
                return Subscribe(gateway, request);
            case "client_sessions_update":
                Update(gateway, peer, request);
                return null;
            case "terminal_list":
                return terminals.List(gateway, peer, request.Text("project_id"));
            case "terminal_resize":
                return await TerminalActions.ResizeAsync(peer, request, cancellationToken).ConfigureAwait(false);
            case "terminal_start":
                await TerminalActions.StartAsync(gateway, peer, call, request, cancellationToken).ConfigureAwait(false);
                return null;
            case "terminal_stop":
                var stop = TerminalActions.Stop(gateway, peer, request);
                Beside(gateway, peer, call, stop);
                return null;
            case "terminal_replay":
                Beside(gateway, peer, call, replies => terminals.ReplayAsync(gateway, peer, request, replies, peer.Gone));
                return null;
            case "terminal_exec":
                Beside(gateway, peer, call, replies => exec.RunAsync(peer, request, gateway.Options, replies, peer.Gone));
                return null;
            default:
                var handler = _handlers.GetValueOrDefault(request.Name) ?? throw new LinkException(FailureCode.NotSupported, $"Unknown cmd: {request.Name}");
                Beside(gateway, peer, call, replies => audit.RunAsync(handler, request, replies, peer));
                return null;
        }
    }

    private static string Action(Call call) => call.Name[(call.Name.IndexOf('.', StringComparison.Ordinal) + 1)..];

    private static PortacodeEvent Subscribe(Gateway gateway, PortacodeRequest request)
    {
        var client = request.Text("client_channel") ?? request.Client;
        if (client is not { Length: > 0 })
            throw new LinkException(FailureCode.BadMessage, "client_channel parameter is required");
        var action = request.RequireText("action");
        var count = 0;
        switch (action)
        {
            case "connect" or "update":
                var filters = Filter.ReadAll(request.Find("filters"));
                gateway.Sessions.Subscribe(client, filters);
                count = filters.Count;
                break;
            case "disconnect":
                gateway.Sessions.Unsubscribe(client);
                break;
            default:
                throw new LinkException(FailureCode.BadValue, $"Unknown action: {action}; there are: connect, disconnect, update");
        }

        return new PortacodeEvent("session_subscribe_ack", new() { ["action"] = action, ["active_sessions"] = gateway.Sessions.Count, ["filter_count"] = count });
    }

    /// <summary>Who is new in the list is shown the device and the terminals.</summary>
    private void Update(Gateway gateway, Peer peer, PortacodeRequest request)
    {
        foreach (var session in gateway.Sessions.SetList(ListedSession.ReadAll(request.Find("sessions"))))
        {
            var greeting = new Call("portacode.terminal_list", null) { Client = session.Name, Ref = "-" };
            peer.Post(new Result(greeting.Name, terminals.List(gateway, peer, session.Project)) { Client = greeting.Client, Ref = greeting.Ref });
            if (_handlers.TryGetValue("system_info", out var handler))
                Beside(gateway, peer, greeting, replies => handler(PortacodeRequest.Without("system_info"), replies, peer.Gone));
        }
    }

    private void Beside(Gateway gateway, Peer peer, Call call, Func<IReplies, ValueTask> work)
    {
        if (!gateway.TryBegin())
            throw new LinkException(FailureCode.Limited, $"{gateway.Options.MaxRequests} requests are under way: try again when one of them has been answered");

        var (name, client, reference) = (call.Name, call.Client, call.Ref);
        peer.Run(async _ =>
        {
            try
            {
                await work(new Replies(gateway, peer, name, client, reference)).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (peer.Gone.IsCancellationRequested)
            {
                // Nobody is there any more to answer.
            }
            catch (Exception e)
            {
                if (e is not LinkException)
                    Log.Faulted(logger, e, name);
                peer.Post(e is LinkException fault
                    ? new Failed(fault.Code, fault.Message) { Call = name, Client = client, Ref = reference }
                    : new Failed(FailureCode.Internal, "a fault of this device; its log says more") { Call = name, Client = client, Ref = reference });
            }
            finally
            {
                gateway.End();
            }
        });
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Action} failed through a fault of this device")]
        public static partial void Faulted(ILogger logger, Exception exception, string action);
    }
}
