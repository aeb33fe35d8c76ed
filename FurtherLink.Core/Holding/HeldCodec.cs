using System.Diagnostics.CodeAnalysis;
using FurtherLink.Codecs;
using FurtherLink.Messages;

namespace FurtherLink.Holding;

/// <summary>The holder's side of <see cref="HeldFrames"/>: the dialect "held". A connection has one session, whatever its name.</summary>
internal sealed class HeldCodec : IMessageCodec
{
    /// <summary>What the dialect is called.</summary>
    public const string Name = "held";

    // What the one session of a connection is called in the vocabulary.
    private const string Session = "s";

    // The server that follows: a new one takes the place of one that was killed.
    private const string Follower = "server";

    private readonly Input _input = new() { Name = Session };

    /// <inheritdoc/>
    public bool TryDecode(in Frame frame, [NotNullWhen(true)] out ClientMessage? message)
    {
        message = null;
        if (frame.Kind is FrameKind.Close)
            return false;
        if (frame.Kind is FrameKind.Binary)
        {
            HeldFrames.ReadInput(frame.Body, _input);
            message = _input;
            return true;
        }

        var held = HeldFrames.Read(frame.Body);
        message = held.Type switch
        {
            "start" => new Start(Session, Needed(held.Request, "request") with { SessionId = Needed(held.Session, "session") }) { Options = Options(held) },
            "attach" => new Attach(Session, Needed(held.Session, "session"), Options(held)),
            "resize" => new Control(Session, new Resize(Needed(held.Size, "size"))),
            "signal" => new Control(Session, new Signal(Needed(held.Number, "number"))),
            "key" => new Control(Session, new Key(Needed(held.Name, "name"), Needed(held.Text, "text"))),
            "end" => new Control(Session, new EndOfInput()),
            "stop" => new Stop(Session),
            "ack" => new Acknowledge(Session, Needed(held.Offset, "offset")),
            "ping" => new Ping(),
            "list" => new Call(HoldService.ListCall, null),
            "remove" => new Call(HoldService.RemoveCall, Needed(held.Session, "session")),
            var other => throw new LinkException(FailureCode.BadMessage, $"unknown type \"{other}\""),
        };
        message.Ref = held.Ref;
        return true;
    }

    /// <inheritdoc/>
    public void Encode(ServerMessage message, FrameWriter output)
    {
        switch (message)
        {
            case Output chunk:
                HeldFrames.WriteOutput(output, chunk);
                return;
            case Notice { Body: ReadOnlyMemory<byte> body } notice:
                HeldFrames.WriteNotice(output, notice.Topic, body.Span);
                return;
        }

        if (Spell(message) is { } held)
            HeldFrames.Write(output, held with { Ref = message.Ref });
    }

    private static HeldMessage? Spell(ServerMessage message) => message switch
    {
        Pong => new HeldMessage { Type = "pong" },
        Started started => new HeldMessage { Type = "started", Info = started.Session },
        Attached attached => new HeldMessage { Type = "attached", Info = attached.Session, Offset = attached.Offset },
        Missed missed => new HeldMessage { Type = "missed", Offset = missed.From, To = missed.To },
        Exited exited => new HeldMessage { Type = "exited", Exit = exited.Status },
        Failed failed => new HeldMessage { Type = "failed", Code = failed.Code, Text = failed.Detail },
        Result { Call: HoldService.ListCall, Body: IReadOnlyList<HeldState> states } => new HeldMessage { Type = "sessions", Sessions = states },
        Result { Call: HoldService.RemoveCall } => new HeldMessage { Type = "removed" },
        Notice { Body: InputTaken { Mark: { } mark } } => new HeldMessage { Type = "taken", Input = mark },
        Notice { Body: TerminalSize size } notice => new HeldMessage { Type = "notice", Name = notice.Topic, Size = size },
        Notice { Body: SpillStopped stopped } notice => new HeldMessage { Type = "notice", Name = notice.Topic, Text = stopped.Reason },
        Notice { Body: string text } notice => new HeldMessage { Type = "notice", Name = notice.Topic, Text = text },
        Notice { Body: DisplayAddress display } notice => new HeldMessage { Type = "notice", Name = notice.Topic, Display = display },
        _ => null,
    };

    private static AttachOptions Options(HeldMessage held) => AttachOptions.Default with
    {
        From = held.Offset ?? 0,
        Text = false,
        Window = Needed(held.Window, "window"),
        ClientId = Follower,
    };

    private static T Needed<T>(T? value, string field)
        where T : class => value ?? throw new LinkException(FailureCode.BadMessage, $"{field} is missing");

    private static T Needed<T>(T? value, string field)
        where T : struct => value ?? throw new LinkException(FailureCode.BadMessage, $"{field} is missing");
}
