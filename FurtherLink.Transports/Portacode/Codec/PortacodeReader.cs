using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using FurtherLink.Codecs;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Codec;

/// <summary>Reads a gateway's frames, whichever of the spellings it uses. Used by one thread at a time.</summary>
internal sealed class PortacodeReader
{
    // What an action does not know is passed over, however it looks; but what is nested costs its depth at each level to read.
    private const int MaxDepth = 256;

    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = MaxDepth };

    private readonly Input _input = new();
    private byte[] _text = [];

    /// <summary>Reads a frame.</summary>
    /// <returns>What it asks for; null where that is nothing. Input is one reused object, its text borrowed until the next call.</returns>
    public ClientMessage? Read(in ReadOnlySequence<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Deep);
            return Read(document.RootElement);
        }
        catch (JsonException)
        {
            return ReadDeep(body);
        }
    }

    private ClientMessage? ReadDeep(in ReadOnlySequence<byte> body)
    {
        using var payload = DeepFrame.Payload(body);
        return payload is null ? null : Request(payload.RootElement, $"the frame is nested deeper than {MaxDepth} levels");
    }

    private ClientMessage? Read(in JsonElement frame)
    {
        if (frame.ValueKind is not JsonValueKind.Object)
            return null;
        var channel = Channel(frame, "device_channel") ?? Channel(frame, "channel");
        if (!frame.TryFind("payload", out var payload))
            return null;
        if (channel is null or "0")
            return Action(payload, channel is null ? "the frame has no channel" : null);
        return payload.ValueKind is JsonValueKind.String ? Typed(channel, payload, "data") : null;
    }

    /// <summary>A channel's name: a text or a whole number.</summary>
    private static string? Channel(in JsonElement frame, string name)
    {
        if (!frame.TryFind(name, out var channel))
            return null;
        return channel.ValueKind switch
        {
            JsonValueKind.String => Text(channel),
            JsonValueKind.Number => channel.TryGetInt64(out var number) ? number.ToString(System.Globalization.CultureInfo.InvariantCulture) : channel.GetRawText(),
            _ => null,
        };
    }

    private ClientMessage? Action(in JsonElement payload, string? fault)
    {
        if (payload.ValueKind is not JsonValueKind.String)
            return Request(payload, fault);
        try
        {
            using var inner = JsonDocument.Parse(Text(payload) ?? "", Deep);
            return Request(inner.RootElement, fault);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private ClientMessage? Request(in JsonElement payload, string? fault)
    {
        // Of an action "terminal_exec" the argument is called "command" too: where there is a "cmd", that is the action.
        if (payload.ValueKind is not JsonValueKind.Object || (TextOf(payload, "cmd") ?? TextOf(payload, "command")) is not { } action)
            return null;
        var arguments = payload.TryFind("payload", out var nested) && nested.ValueKind is JsonValueKind.Object ? nested : payload;
        // Beside an action that manages a client session, "client_channel" is that session: who asks is named otherwise.
        var reply = TextOf(payload, "reply_channel") ?? TextOf(arguments, "reply_channel");
        var client = reply ?? TextOf(payload, "source_client_session") ?? TextOf(payload, "client_channel")
            ?? TextOf(arguments, "source_client_session") ?? TextOf(arguments, "client_channel");
        var asker = new Asker(client, reply is not null, RequestId(payload) ?? RequestId(arguments));
        ClientMessage message;
        try
        {
            message = fault is null ? Request(action, arguments, client) : throw new LinkException(FailureCode.BadMessage, fault);
        }
        catch (LinkException refusal)
        {
            message = new Call("portacode.refused", refusal);
        }

        message.Client = client;
        message.Ref = asker.ToReference();
        return message;
    }

    private ClientMessage Request(string action, in JsonElement arguments, string? client)
    {
        if (action != "terminal_send")
            return new Call("portacode." + action, new PortacodeRequest(action, arguments.Clone()) { Client = client });
        var terminal = new PortacodeRequest(action, arguments).TerminalId();
        if (!arguments.TryFind("data", out var data))
            return Typed(terminal, data, null);
        return data.ValueKind is JsonValueKind.String
            ? Typed(terminal, data, "data", confirm: true)
            : throw new LinkException(FailureCode.BadMessage, "data parameter must be a string");
    }

    /// <summary>Input for a terminal.</summary>
    /// <param name="terminal">Its id.</param>
    /// <param name="text">What was typed, a JSON text.</param>
    /// <param name="name">What the text is called; null = there is none, and nothing was typed.</param>
    /// <param name="confirm">Whether that is answered.</param>
    private Input Typed(string terminal, in JsonElement text, string? name, bool confirm = false)
    {
        _input.Name = terminal;
        _input.Data = name is null ? ReadOnlySequence<byte>.Empty : Unescape(text, name);
        _input.Confirm = confirm || name is null;
        _input.Client = null;
        _input.Ref = null;
        return _input;
    }

    private ReadOnlySequence<byte> Unescape(in JsonElement text, string name)
    {
        var raw = JsonMarshal.GetRawUtf8Value(text)[1..^1];
        if (_text.Length < raw.Length)
            _text = new byte[raw.Length];
        raw.CopyTo(_text);
        if (!JsonText.TryUnescape(_text.AsSpan(0, raw.Length), out var length))
            throw new LinkException(FailureCode.BadValue, $"{name} parameter is not valid Unicode");
        return new ReadOnlySequence<byte>(_text, 0, length);
    }

    private static string? TextOf(in JsonElement from, string name) =>
        from.TryFind(name, out var value) && value.ValueKind is JsonValueKind.String ? Text(value) : null;

    // Half a surrogate pair is no name of anything.
    private static string? Text(in JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The request's own id as it stands; null where it is neither a text nor a number, or no valid UTF-8.</summary>
    private static string? RequestId(in JsonElement from)
    {
        if (!from.TryFind("request_id", out var id) || id.ValueKind is not (JsonValueKind.String or JsonValueKind.Number))
            return null;
        try
        {
            return id.GetRawText();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
