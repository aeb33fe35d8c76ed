using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Sessions;
using FurtherLink.Transports.Portacode.Bandwidth;
using FurtherLink.Transports.Portacode.Codec;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Transports.Portacode.Terminals;

/// <summary>
/// The device's sessions as a gateway's terminals: those it starts itself, which outlive its connections, and every other that has a terminal, which it
/// looks on at. Thread safe.
/// </summary>
/// <param name="sessions">The device's sessions.</param>
internal sealed class TerminalActions(SessionTable sessions)
{
    /// <summary>The label of a session that a gateway has started; its value is the shell.</summary>
    public const string ShellLabel = "portacode.shell";

    /// <summary>The label of the project that a session belongs to.</summary>
    public const string ProjectLabel = "portacode.project";

    private static readonly TerminalSize DefaultSize = new(24, 80);

    // A gateway that has client sessions tells of them when it is asked; one that has not gets the output of terminals that were there before it anyway.
    private static readonly TimeSpan GreetingTime = TimeSpan.FromSeconds(1);

    // A shell that heeds the hang-up says goodbye and writes its history; what is left then is ended without asking.
    private static readonly TimeSpan HangUpGrace = TimeSpan.FromSeconds(0.3);
    private const int HangUp = 1;
    private const int Continue = 18;

    /// <summary>A connection begins: it is told the terminals, and their output from where the one before it had come.</summary>
    public void Open(Gateway gateway, Peer peer)
    {
        gateway.Peer = peer;
        Post(peer, new PortacodeEvent("request_client_sessions", []));
        Post(peer, List(gateway, peer, project: null));
        var watch = sessions.Watch(session => Show(gateway, peer, session, Task.CompletedTask));
        peer.Gone.UnsafeRegister(static watch => ((IDisposable)watch!).Dispose(), watch);
        var greeting = gateway.WasOpened ? Task.CompletedTask : Task.WhenAny(gateway.Sessions.Announced, Task.Delay(GreetingTime, gateway.Time, peer.Gone));
        foreach (var session in sessions.Sessions.OrderBy(static session => session.Info.Created))
            Show(gateway, peer, session, greeting);
        gateway.WasOpened = true;

        // What ended while the gateway was away, and is not kept any more.
        foreach (var terminal in gateway.Terminals.Values)
        {
            if (sessions.Find(terminal.Id) is null && gateway.Terminals.TryRemove(terminal.Id, out _))
                peer.Post(new Notice("portacode.exit", PortacodeWriter.Exit(terminal, terminal.Attachment?.Session.Info.Exit?.Code ?? -1)));
        }
    }

    /// <summary>Starts a terminal.</summary>
    public static async Task StartAsync(Gateway gateway, Peer peer, Call call, PortacodeRequest request, CancellationToken cancellationToken)
    {
        var shell = request.Text("shell");
        var directory = request.Text("cwd");
        var project = request.Text("project_id");
        var size = new TerminalSize((int)(request.Integer("rows", 1, 65535) ?? DefaultSize.Rows), (int)(request.Integer("cols", 1, 65535) ?? DefaultSize.Columns));
        ShellFinder.DemandDirectory(directory);
        var program = ShellFinder.Find(shell);
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [ShellLabel] = program };
        if (project is not null)
            labels[ProjectLabel] = project;
        var id = Guid.NewGuid().ToString("N");
        var terminal = new GatewayTerminal(id, project);
        gateway.Terminals[id] = terminal;
        try
        {
            await peer.StartAsync(
                id,
                new RunRequest("program")
                {
                    SessionId = id,
                    Arguments = [program],
                    Path = directory is { Length: > 0 } ? System.IO.Path.GetFullPath(directory) : null,
                    Terminal = size,
                    Environment = ShellFinder.Environment(size),
                    Session = new SessionOptions { WhenDetached = WhenDetached.Keep, AllDrive = true, Labels = labels },
                },
                Options(gateway, peer, terminal, 0, own: true, Task.CompletedTask),
                attachment =>
                {
                    terminal.Attachment = attachment;
                    return new Result(call.Name, Started(attachment.Session.Info)) { Client = call.Client, Ref = call.Ref };
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            gateway.Terminals.TryRemove(id, out _);
            throw new LinkException(e.Code, e.Message, e);
        }
        catch (Exception)
        {
            gateway.Terminals.TryRemove(id, out _);
            throw;
        }
    }

    /// <summary>Begins to stop a terminal.</summary>
    /// <returns>What goes on then: it answers at once, and tells all when it is over.</returns>
    public static Func<IReplies, ValueTask> Stop(Gateway gateway, Peer peer, PortacodeRequest request)
    {
        var id = request.TerminalId();
        var attachment = peer.Find(id);
        if (attachment is null || !gateway.Terminals.TryGetValue(id, out var terminal) || terminal.IsStopping)
        {
            return async replies =>
            {
                const string Gone = "Terminal was not found or already stopped";
                await replies.SendAsync(Stopped("terminal_stopped", id, "not_found", Gone, null)).ConfigureAwait(false);
                peer.Post(new Notice("portacode.stop", Stopped("terminal_stop_completed", id, "not_found", Gone, null)));
            };
        }

        peer.Demand(Access.Drive, attachment);
        terminal.IsStopping = true;
        return replies => StopAsync(peer, terminal, attachment, replies);
    }

    /// <summary>Resizes a terminal.</summary>
    public static async ValueTask<PortacodeEvent> ResizeAsync(Peer peer, PortacodeRequest request, CancellationToken cancellationToken)
    {
        var id = request.TerminalId();
        var attachment = peer.Find(id) ?? throw NotFound(id);
        peer.Demand(Access.Drive, attachment);
        if (request.Integer("cols", 1, 65535) is not { } columns || request.Integer("rows", 1, 65535) is not { } rows)
            throw new LinkException(FailureCode.BadMessage, "cols and rows parameters are required");
        await attachment.Session.ControlAsync(new Resize(new TerminalSize((int)rows, (int)columns)), cancellationToken).ConfigureAwait(false);
        return new PortacodeEvent("terminal_resized", new JsonObject { ["terminal_id"] = id, ["cols"] = columns, ["rows"] = rows });
    }

    /// <summary>The terminals there are.</summary>
    /// <param name="gateway">The gateway.</param>
    /// <param name="peer">The connection.</param>
    /// <param name="project">Those of a project; "all" = all; null = those of none.</param>
    public PortacodeEvent List(Gateway gateway, Peer peer, string? project)
    {
        var rows = new JsonArray();
        var budget = TerminalRow.ListBudget;
        foreach (var session in sessions.Sessions.OrderBy(static session => session.Info.Created))
        {
            var info = session.Info;
            if (info.Terminal is null || (info.Exit is not null && !gateway.Terminals.ContainsKey(info.Id)))
                continue;
            if (gateway.Terminals.TryGetValue(info.Id, out var terminal) && terminal.IsStopping)
                continue;
            if (project != "all" && info.Labels.GetValueOrDefault(ProjectLabel) != project)
                continue;
            var row = TerminalRow.Of(session, ref budget);
            // Where a gateway that has come back sees what the connection before has swallowed.
            row["next_offset"] = peer.Find(info.Id)?.Sent ?? terminal?.Attachment?.Received ?? session.Output.Start;
            rows.Add((JsonNode)row);
        }

        return new PortacodeEvent("terminal_list", new JsonObject { ["sessions"] = rows, ["project_id"] = project });
    }

    /// <summary>Sends again what a terminal printed from an offset on, up to another, as far as it has been sent.</summary>
    public async ValueTask ReplayAsync(Gateway gateway, Peer peer, PortacodeRequest request, IReplies replies, CancellationToken cancellationToken)
    {
        var id = request.TerminalId();
        var session = sessions.Find(id) is { Info.Terminal: not null } found ? found : throw NotFound(id);
        var to = Math.Min(peer.Find(id)?.Sent ?? session.Output.End, request.Integer("to", 0) ?? long.MaxValue);
        var from = request.Integer("from", 0, session.Output.End) ?? 0;
        var terminal = gateway.Terminals.GetValueOrDefault(id) ?? new GatewayTerminal(id, session.Info.Labels.GetValueOrDefault(ProjectLabel));
        using var reader = session.Output.Attach(new ReaderOptions { From = from, Text = true, Lossless = false });
        while (reader.Position < to)
        {
            var chunk = await reader.ReadAsync((int)Math.Min(TerminalRow.PieceSize, to - reader.Position), cancellationToken).ConfigureAwait(false);
            if (chunk.Exit is not null)
                break;
            await replies.SendAsync(Replayed(terminal, chunk.Offset, chunk.Next, Encoding.UTF8.GetString(chunk.Data.Span), more: chunk.Next < to)).ConfigureAwait(false);
        }

        if (from >= to || reader.Position < to)
            await replies.SendAsync(Replayed(terminal, reader.Position, reader.Position, "", more: false)).ConfigureAwait(false);
    }

    private static async ValueTask StopAsync(Peer peer, GatewayTerminal terminal, Attachment attachment, IReplies replies)
    {
        var session = attachment.Session;
        await replies.SendAsync(Stopped("terminal_stopped", terminal.Id, "stopping", "Terminal stop process initiated", terminal.Project)).ConfigureAwait(false);
        var (status, message) = ("success", "Terminal stopped successfully");
        try
        {
            await session.ControlAsync(new Signal(HangUp), CancellationToken.None).ConfigureAwait(false);
            await session.ControlAsync(new Signal(Continue), CancellationToken.None).ConfigureAwait(false);
            await Task.WhenAny(session.Exited, Task.Delay(HangUpGrace, CancellationToken.None)).ConfigureAwait(false);
            await session.DisposeAsync().ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            (status, message) = ("error", $"Terminal could not be stopped: {e.Message}");
        }

        // All output and the exit have been sent before it is said to be over.
        await attachment.Ended.WaitAsync(peer.Gone).ConfigureAwait(false);
        peer.Post(new Notice("portacode.stop", Stopped("terminal_stop_completed", terminal.Id, status, message, terminal.Project)));
    }

    /// <summary>Attaches a connection to a session that has a terminal, unless it is already, or the gateway has been told its end.</summary>
    private static void Show(Gateway gateway, Peer peer, ISession session, Task greeting)
    {
        var info = session.Info;
        if (info.Terminal is null || peer.Find(info.Id) is not null)
            return;
        var known = gateway.Terminals.TryGetValue(info.Id, out var terminal);
        if (!known && info.Exit is not null)
            return;
        terminal ??= gateway.Terminals.GetOrAdd(info.Id, id => new GatewayTerminal(id, info.Labels.GetValueOrDefault(ProjectLabel)));
        var own = info.Labels.ContainsKey(ShellLabel);
        // Where nobody has been told anything yet, what there is of it has not been received.
        var from = terminal.Attachment?.Received ?? session.Output.Start;
        try
        {
            var isNew = !known && gateway.WasOpened;
            terminal.Attachment = peer.Attach(
                info.Id, session, Options(gateway, peer, terminal, from, own, greeting), isNew ? _ => new Notice("portacode.started", Started(info)) : null);
        }
        catch (LinkException)
        {
            // It has ended or gone meanwhile, or was shown by another way.
        }
    }

    /// <summary>What a gateway may do with a terminal is what its connection may: one that may own also types into what others have started.</summary>
    private static AttachOptions Options(Gateway gateway, Peer peer, GatewayTerminal terminal, long from, bool own, Task greeting)
    {
        var rights = peer.Grant.Access;
        var isPaced = !greeting.IsCompleted || TerminalPace.IsNeeded(gateway);
        var options = new AttachOptions
        {
            From = from,
            Tag = terminal,
            Pace = isPaced ? new TerminalPace(gateway, terminal, greeting, gateway.Time) : null,
            Access = own && rights >= Access.Drive ? Access.Drive : Access.View,
        };
        return own ? options : options with { Holds = false, Overrules = rights >= Access.Own, Lossless = false };
    }

    private static void Post(Peer peer, PortacodeEvent news) => peer.Post(new Result("portacode.open", news));

    private static PortacodeEvent Started(SessionInfo info)
    {
        var row = TerminalRow.Of(info);
        return new PortacodeEvent("terminal_started", row);
    }

    private static PortacodeEvent Stopped(string name, string id, string status, string message, string? project) =>
        new(name, new JsonObject { ["terminal_id"] = id, ["status"] = status, ["message"] = message, ["project_id"] = project });

    private static PortacodeEvent Replayed(GatewayTerminal terminal, long offset, long next, string data, bool more)
    {
        var fields = terminal.Event("terminal_data");
        fields.Remove("event");
        fields["offset"] = offset;
        fields["next_offset"] = next;
        fields["data"] = data;
        fields["replay"] = true;
        fields["has_more"] = more;
        return new PortacodeEvent("terminal_data", fields);
    }

    private static LinkException NotFound(string id) => new(FailureCode.NotFound, $"terminal_id {id} not found");
}
