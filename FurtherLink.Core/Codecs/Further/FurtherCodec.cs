using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>
/// The native dialect, "further": Further-Link's JSON messages of /run, one in a frame, as its clients know them.
/// </summary>
/// <remarks>
/// <para>
/// A client sends {"type", "data", "process"}. "type" and "process" that are no strings, and "data" that is no object, count as absent;
/// of a key that stands twice the last one counts; unknown keys and the frame's kind say nothing. "end": true in the data of stdin ends
/// the input behind "input", which may then be absent.
/// </para>
/// <para>
/// The answers are {"type", "data", "client", "process"} with exactly these four keys: client is <see cref="LinkConnection.Label"/>,
/// process null in pong and error. An error's data has "message", one of the two texts that clients of Further-Link compare, "detail"
/// in words, and "process" where one was named. "Bad message" stands for <see cref="FailureCode.BadMessage"/>,
/// <see cref="FailureCode.NotFound"/>, <see cref="FailureCode.AlreadyExists"/> and <see cref="FailureCode.NotSupported"/>; "Message
/// Exception" for all others.
/// </para>
/// <para>
/// Extensions (<see cref="LinkConnection.Extensions"/>, or a list "extensions" in the data of start and attach): "missed" adds the
/// message of that name, "sessions" that, too, what a session is in started, and presence, "offsets" where output stands, "ack" makes the
/// server keep output until the client acknowledges it. Who sends attach, detach, list, request, grant, take, or start with "session", has
/// asked for "sessions". "bytes" gives output that is no UTF-8 as "base64". hello asks for all that, too, and becomes the call device.hello.
/// </para>
/// <para>
/// A text "ref" beside "type" is given back as a fifth key of the answer, also where the message is refused; an error has "code" then.
/// uploadBegin, uploadFile, uploadEnd and uploadCancel become the calls of "files" of these names.
/// </para>
/// </remarks>
public sealed class FurtherCodec : IMessageCodec
{
    // It stands in every message to the client.
    private const int LongestLabel = 200;

    private readonly FurtherReader _reader = new();
    private readonly FurtherWriter _writer;

    /// <summary>Makes the codec of one connection.</summary>
    /// <param name="connection">Its label and extensions are used.</param>
    public FurtherCodec(LinkConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _writer = FurtherWriter.ForRun(connection.Label, connection.Lossless);
        _writer.Ask(FurtherExtensionNames.Of(connection.Extensions));
    }

    /// <inheritdoc/>
    /// <remarks>Every frame but a close frame is a message. A failure carries the process id where the message named one.</remarks>
    public bool TryDecode(in Frame frame, [NotNullWhen(true)] out ClientMessage? message)
    {
        message = null;
        if (frame.Kind == FrameKind.Close)
            return false;
        var request = _reader.Read(frame);
        var reference = FurtherReader.Ref(request);
        try
        {
            message = Decode(request);
        }
        catch (LinkException e)
        {
            e.Ref = reference;
            throw;
        }

        message.Ref = reference;
        message.Confirm = reference is not null && message is Control or Stop;
        return true;
    }

    /// <inheritdoc/>
    public void Encode(ServerMessage message, FrameWriter output) => _writer.Write(message, output);

    private ClientMessage Decode(FurtherRequest request) => request.Verb switch
    {
        FurtherVerb.Stdin => _reader.Input(request, _reader.Name(request)),
        FurtherVerb.Ping => new Ping(),
        FurtherVerb.Start => Start(request),
        FurtherVerb.Stop => new Stop(_reader.Name(request)),
        FurtherVerb.Resize => new Control(_reader.Name(request), new Resize(Size(request))),
        FurtherVerb.KeyEvent => new Control(_reader.Name(request), FurtherReader.Key(request)),
        FurtherVerb.Attach => Attach(request),
        FurtherVerb.Detach => new Detach(_reader.Name(request)),
        FurtherVerb.List => Ask(new Call("sessions.list", null)),
        FurtherVerb.Ack => new Acknowledge(_reader.Name(request), request.Count(FurtherField.Offset) ?? throw request.Bad("ack: offset is missing")),
        FurtherVerb.Request => Ask(new Call("sessions.request", null) { Session = _reader.Name(request) }),
        FurtherVerb.Grant => Grant(request),
        FurtherVerb.Take => Ask(new Call("sessions.take", null) { Session = _reader.Name(request) }),
        FurtherVerb.Signal => new Control(_reader.Name(request), FurtherSignals.Read(request)),
        FurtherVerb.Hello => Hello(request),
        FurtherVerb.Auth => FurtherAccess.Auth(request),
        FurtherVerb.Pair => FurtherAccess.Pair(request),
        FurtherVerb.PairingOpen => FurtherAccess.Open(request),
        FurtherVerb.PairingWait => new Call("pairing.wait", null),
        FurtherVerb.UploadBegin => new Call("files.uploadBegin", new UploadBegin(request.RequiredText(FurtherField.Name)) { User = request.OptionalText(FurtherField.User) }),
        FurtherVerb.UploadFile => new Call("files.uploadFile", _reader.Piece(request)),
        FurtherVerb.UploadEnd => new Call("files.uploadEnd", new UploadEnd(request.RequiredText(FurtherField.Upload))),
        FurtherVerb.UploadCancel => new Call("files.uploadCancel", new UploadEnd(request.RequiredText(FurtherField.Upload))),
        _ => throw request.UnknownType(),
    };

    private Start Start(FurtherRequest request)
    {
        var name = _reader.Name(request);
        var runner = request.RequiredText(FurtherField.Runner);
        if (runner.Length == 0)
            throw request.Bad("start: runner is empty");
        _writer.Ask(FurtherExtensionNames.Of(request.Value(FurtherField.Extensions)));
        var session = FurtherSessions.Options(request);
        var id = FurtherSessions.Id(request);
        if (request.Value(FurtherField.Session).Type != JsonTokenType.None)
            _writer.Ask(FurtherExtensions.Sessions);
        return new Start(name, FurtherRuns.Read(request, new RunRequest(runner)
        {
            Code = request.Text(FurtherField.Code),
            Path = request.Text(FurtherField.Path),
            SessionId = id,
            Display = Display(request),
            Session = session,
        }))
        {
            Options = FurtherSessions.Attaching(request, _writer.OptionsFor(runner), _writer.Acknowledges),
        };
    }

    private Attach Attach(FurtherRequest request)
    {
        var name = _reader.Name(request);
        _writer.Ask(FurtherExtensions.Sessions | FurtherExtensionNames.Of(request.Value(FurtherField.Extensions)));
        return FurtherSessions.Attach(request, name, _writer.OptionsFor(""), _writer.Acknowledges);
    }

    private Call Hello(FurtherRequest request)
    {
        var label = request.OptionalText(FurtherField.Client);
        if (label?.Length > LongestLabel)
            throw request.BadValue($"hello: client must have at most {LongestLabel} characters");
        // What is refused changes nothing.
        if (request.Value(FurtherField.Delivery).Type != JsonTokenType.None)
            _writer.Lossless = request.OneOf(FurtherField.Delivery, "lossless", "latest") == 0;
        if (label is not null)
            _writer.Label(label);
        _writer.Ask(FurtherExtensionNames.Of(request.Value(FurtherField.Extensions)));
        return new Call("device.hello", new Hello(label));
    }

    // Who uses a message of an extension knows it.
    private Call Ask(Call call)
    {
        _writer.Ask(FurtherExtensions.Sessions);
        return call;
    }

    private Call Grant(FurtherRequest request)
    {
        var name = _reader.Name(request);
        var member = request.Count(FurtherField.Member) ?? throw request.Bad("grant: member is missing");
        return Ask(new Call("sessions.grant", (int)Math.Clamp(member, 0, int.MaxValue)) { Session = name });
    }

    private static DisplayRequest? Display(FurtherRequest request)
    {
        request.Open(FurtherField.NovncOptions);
        return request.Value(FurtherField.Enabled).Type == JsonTokenType.True
            ? new DisplayRequest(Pixels(request.Integer(FurtherField.Width)), Pixels(request.Integer(FurtherField.Height)))
            : null;
    }

    private static int? Pixels(int? value) => value > 0 ? value : null;

    private static TerminalSize Size(FurtherRequest request)
    {
        if (request.Integer(FurtherField.Rows) is not { } rows || request.Integer(FurtherField.Cols) is not { } columns)
            throw request.Bad("resize: rows and cols must be whole numbers");
        // Whether there is such a process and whether it has a terminal is said before whether the numbers are right: by the session.
        return new TerminalSize(rows, columns);
    }
}
