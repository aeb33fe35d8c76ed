using System.Collections.Frozen;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Telemetry;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Peers;

/// <summary>
/// Carries out one connection's messages: one switch. Input, control and stop are taken in order and never wait for a program;
/// starts and calls run beside them, at most 16 at once. Used by one thread at a time.
/// </summary>
/// <param name="services">The services by name.</param>
/// <param name="sessions">The device's sessions.</param>
/// <param name="outbox">Where answers go.</param>
/// <param name="tasks">What runs beside the loop.</param>
/// <param name="room">Set when something that fills up has room again: answers, waiting input, calls.</param>
/// <param name="logger">Where faults of ours are told.</param>
internal sealed partial class Dispatcher(
    FrozenDictionary<string, IService> services, SessionTable sessions, Outbox outbox, TaskSet tasks, AsyncSignal room, ILogger logger)
{
    private const int MaxCalls = 16;
    private const long MaxWaiting = 4 * 1024 * 1024;

    private long _waiting;
    private int _calls;
    private volatile bool _authenticates;

    /// <summary>Whether so much is under way that the client should not be read, or it is not known yet who it is.</summary>
    public bool IsFull => _authenticates || outbox.IsFull || Interlocked.Read(ref _waiting) > MaxWaiting || Volatile.Read(ref _calls) >= MaxCalls;

    /// <summary>Carries out a message, or begins to; the message is not needed any more when this returns.</summary>
    /// <param name="message">The message.</param>
    /// <param name="peer">Who sends it.</param>
    /// <param name="size">Its length in bytes: what a call keeps until it is answered.</param>
    public void Dispatch(ClientMessage message, Peer peer, long size)
    {
        try
        {
            switch (message)
            {
                case Input input:
                    Write(input, peer);
                    break;
                case Ping:
                    peer.Demand(Access.View);
                    peer.Post(new Pong { Ref = message.Ref, Client = message.Client });
                    break;
                case Start start:
                    Beside(start, start.Name, peer, StartAsync(start, peer), size);
                    break;
                case Attach attach:
                    Attach(attach, peer);
                    break;
                case Detach detach:
                    Named(detach.Name, peer, Access.View).Detach();
                    peer.Post(new Notice("detached", new Detached(null)) { Name = detach.Name, Ref = detach.Ref, Client = detach.Client });
                    break;
                case Control { Action: Resize resize } sizing when !Overrules(sizing.Name, peer):
                    Named(sizing.Name, peer, Access.View).Resize(resize.Size);
                    Confirm(sizing, peer);
                    break;
                case Control control:
                    var session = Named(control.Name, peer, Access.Drive).Session;
                    Track(control, control.Name, peer, session.ControlAsync(control.Action, peer.Gone), 0);
                    break;
                case Stop stop:
                    var stopped = Named(stop.Name, peer, Access.View);
                    peer.DemandStop(stopped);
                    Track(stop, stop.Name, peer, stopped.Session.DisposeAsync(), 0);
                    break;
                case Acknowledge acknowledge:
                    // Of a session whose end has been sent meanwhile there is nothing to let go.
                    peer.Demand(Access.View);
                    peer.Find(acknowledge.Name)?.Acknowledge(acknowledge.Offset);
                    break;
                case Call call:
                    Answer(call, peer, size);
                    break;
            }
        }
        catch (Exception e)
        {
            Fail(message, NameOf(message), peer, e);
        }
    }

    /// <summary>Tells a client what was wrong with its message.</summary>
    public void Fail(ClientMessage? message, string? name, Peer peer, Exception exception)
    {
        if (exception is OperationCanceledException && peer.Gone.IsCancellationRequested)
            return;
        if (exception is not LinkException fault)
        {
            Log.Faulted(logger, exception, message?.GetType().Name ?? "message");
            fault = new LinkException(FailureCode.Internal, "a fault of this server; its log says more", exception);
        }

        peer.Post(new Failed(fault.Code, fault.Message) { Name = fault.Name ?? name, Ref = message?.Ref ?? fault.Ref, Client = message?.Client, Call = (message as Call)?.Name });
    }

    private static bool Overrules(string name, Peer peer) => peer.Find(name)?.Overrules ?? false;

    private static string? NameOf(ClientMessage message) => message switch
    {
        Start start => start.Name,
        Attach attach => attach.Name,
        Detach detach => detach.Name,
        Input input => input.Name,
        Control control => control.Name,
        Stop stop => stop.Name,
        Acknowledge acknowledge => acknowledge.Name,
        Call call => call.Session,
        _ => null,
    };

    private static Attachment Named(string name, Peer peer, Access needed)
    {
        var attachment = peer.Find(name) ?? throw new LinkException(FailureCode.NotFound, $"there is no process \"{name}\"");
        peer.Demand(needed, attachment);
        return attachment;
    }

    private void Write(Input input, Peer peer)
    {
        var attachment = Named(input.Name, peer, Access.Drive);
        attachment.OnInput();
        if (input.Sequence is not { } sequence)
        {
            Track(input, input.Name, peer, attachment.Session.WriteAsync(input.Data, new InputOptions(input.End), peer.Gone), input.Data.Length);
            return;
        }

        if ((input.ClientId ?? attachment.ClientId) is not { } clientId)
            throw new LinkException(FailureCode.BadValue, "input has a number, but its client has not said who it is: attach with a client id");
        var options = new InputOptions(input.End, new InputMark(clientId, sequence));
        // The bytes are borrowed: they are handed over before anything waits.
        var written = attachment.Session.WriteAsync(input.Data, options, peer.Gone);
        Track(input, input.Name, peer, TellAsync(input.Name, input.Ref, written, options.Mark!.Value, peer), input.Data.Length);
    }

    /// <summary>Tells when the program has taken a numbered input.</summary>
    private static async ValueTask TellAsync(string name, string? reference, ValueTask written, InputMark mark, Peer peer)
    {
        await written.ConfigureAwait(false);
        peer.Post(new Notice("input", new InputTaken(mark)) { Name = name, Ref = reference });
    }

    private void Track(ClientMessage message, string name, Peer peer, ValueTask work, long bytes)
    {
        if (work.IsCompletedSuccessfully)
        {
            work.GetAwaiter().GetResult();
            Confirm(message, peer);
            return;
        }

        Interlocked.Add(ref _waiting, bytes);
        // An input is one reused object: what is needed of it later is taken now.
        tasks.Add(FinishInputAsync(message is Input ? message with { } : message, name, peer, work, bytes));
    }

    private async Task FinishInputAsync(ClientMessage message, string name, Peer peer, ValueTask work, long bytes)
    {
        await FinishAsync(message, name, peer, work).ConfigureAwait(false);
        Interlocked.Add(ref _waiting, -bytes);
        room.Set(inline: false);
    }

    private void Beside(ClientMessage message, string name, Peer peer, ValueTask work, long bytes)
    {
        Interlocked.Increment(ref _calls);
        Interlocked.Add(ref _waiting, bytes);
        tasks.Add(FinishCallAsync(message, name, peer, work, bytes));
    }

    private async Task FinishCallAsync(ClientMessage message, string name, Peer peer, ValueTask work, long bytes)
    {
        await FinishAsync(message, name, peer, work).ConfigureAwait(false);
        if (message is Call { Service: AuthService.ServiceName })
            _authenticates = false;
        Interlocked.Decrement(ref _calls);
        Interlocked.Add(ref _waiting, -bytes);
        room.Set(inline: false);
    }

    private async Task FinishAsync(ClientMessage message, string name, Peer peer, ValueTask work)
    {
        try
        {
            await work.ConfigureAwait(false);
            Confirm(message, peer);
        }
        catch (Exception e)
        {
            Fail(message, name, peer, e);
        }
    }

    private static void Confirm(ClientMessage message, Peer peer)
    {
        if (message.Confirm)
            peer.Post(new Result(message is Input ? "input" : "done", null) { Ref = message.Ref, Client = message.Client });
    }

    private static async ValueTask StartAsync(Start start, Peer peer)
    {
        await peer.StartAsync(
            start.Name,
            start.Request,
            start.Options,
            attachment => new Started(start.Name, attachment.Session.Info) { Ref = start.Ref, Client = start.Client, Member = attachment.Member },
            peer.Gone).ConfigureAwait(false);
    }

    private void Attach(Attach attach, Peer peer)
    {
        peer.Demand(Access.View);
        var session = sessions.Find(attach.Session) is { } found && peer.Grant.Sees(found.Info) ? found : throw new LinkException(FailureCode.NotFound, $"there is no session \"{attach.Session}\"");
        peer.Attach(
            attach.Name,
            session,
            attach.Options,
            attachment => new Attached(attach.Name, session.Info, attachment.Sent)
            {
                Ref = attach.Ref,
                Client = attach.Client,
                Member = attachment.Member,
                Access = attachment.Access,
                Screen = attachment.Screen,
                LastInput = session.Members.LastInput(attach.Options.ClientId),
            });
    }

    private void Answer(Call call, Peer peer, long size)
    {
        if (!services.TryGetValue(call.Service, out var service))
            throw new LinkException(FailureCode.NotSupported, $"there is no \"{call.Name}\" here");
        peer.Demand(service.Needs(call));
        _authenticates = service.Name == AuthService.ServiceName;
        Beside(call, call.Session ?? "", peer, AnswerAsync(service, call, peer), size);
    }

    private static async ValueTask AnswerAsync(IService service, Call call, Peer peer)
    {
        using var activity = LinkActivities.Call(service.Name, call.Name);
        try
        {
            var body = await service.CallAsync(call, peer, peer.Gone).ConfigureAwait(false);
            peer.Post(new Result(call.Name, body) { Ref = call.Ref, Client = call.Client });
        }
        catch (Exception e)
        {
            activity?.Fail(e);
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "A {Message} failed through a fault of this server")]
        public static partial void Faulted(ILogger logger, Exception exception, string message);
    }
}
