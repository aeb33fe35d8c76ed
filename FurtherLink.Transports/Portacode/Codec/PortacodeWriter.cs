using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode.Bandwidth;
using FurtherLink.Transports.Portacode.Clients;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Transports.Portacode.Codec;

/// <summary>
/// Writes what a gateway is told: frames with "channel" and "device_channel" both. Until client sessions are announced a terminal's output is raw
/// text on its channel; then it is the event "terminal_data" with an offset, for those whom it interests. Used by one thread at a time.
/// </summary>
/// <param name="gateway">Whom it is for.</param>
internal sealed class PortacodeWriter(Gateway gateway)
{
    private const int HeadRoom = 512;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Writes a message as one frame, or as none where nobody is interested.</summary>
    public void Write(ServerMessage message, FrameWriter output)
    {
        switch (message)
        {
            case Output chunk:
                WriteOutput(chunk, output);
                break;
            case Missed missed:
                WriteMissed(missed, output);
                break;
            case Exited exited:
                WriteExit(exited, output);
                break;
            case Result { Call: "input" }:
                Answer(output, new PortacodeEvent("terminal_send_ack", []), message);
                break;
            case Result { Body: PortacodeEvent answer }:
                Answer(output, answer, message);
                break;
            case Notice { Body: PortacodeEvent news }:
                Broadcast(output, news);
                break;
            case Failed failed when Text(failed) is { } text:
                Answer(output, new PortacodeEvent("error", new JsonObject { ["message"] = text }), message);
                break;
        }
    }

    /// <summary>Input on a terminal's channel has nobody who asked: where there is no such terminal it is passed over.</summary>
    private static string? Text(Failed failed) => failed switch
    {
        { Code: FailureCode.NotFound, Call: null, Ref: null } => null,
        { Code: FailureCode.NotFound, Call: null, Name: { } name } => $"terminal_id {name} not found",
        { Call: null, Name: { } name } => $"terminal_id {name}: {failed.Detail}",
        _ => failed.Detail,
    };

    private void WriteExit(Exited exited, FrameWriter output)
    {
        gateway.Terminals.TryRemove(exited.Name, out var terminal);
        Broadcast(output, Exit(terminal ?? new GatewayTerminal(exited.Name, null), exited.Status.Code));
    }

    /// <summary>The event that tells a terminal's end.</summary>
    internal static PortacodeEvent Exit(GatewayTerminal terminal, int code) => new("terminal_exit", new JsonObject
    {
        ["terminal_id"] = terminal.Id,
        ["returncode"] = code,
        ["project_id"] = terminal.Project,
    });

    private void WriteOutput(Output chunk, FrameWriter output)
    {
        if (!gateway.Terminals.TryGetValue(chunk.Name, out var terminal))
            return;
        var before = output.Written;
        if (!gateway.Sessions.IsAnnounced)
        {
            output.Begin(FrameKind.Text, HeadRoom + chunk.Data.Length);
            WriteChannel(output, chunk.Name);
            output.Write("\""u8);
            JsonText.Write(output, chunk.Data.Span);
            output.Write("\"}"u8);
            output.End();
        }
        else
        {
            var targets = terminal.Targets(gateway.Sessions, out var eachMatters);
            if (eachMatters)
                targets = gateway.Sessions.Interested(Event(terminal, chunk));
            targets = Within(terminal, chunk, targets);
            if (!targets.IsSent)
                return;
            WriteData(output, terminal, chunk, targets);
            gateway.Bandwidth.Sent(targets.Clients, output.Written - before);
        }

        TrafficMetrics.Sent("terminal", output.Written - before);
    }

    /// <summary>Leaves out who is over its limit while others are not.</summary>
    private Targets Within(GatewayTerminal terminal, Output chunk, Targets targets)
    {
        if (!gateway.Bandwidth.IsLimited || targets.Clients.Count < 2)
            return targets;
        var clients = new List<string>();
        foreach (var client in targets.Clients)
        {
            var limit = gateway.Bandwidth.Of(client);
            if (limit is null || limit.Bucket.Wait <= TimeSpan.Zero)
            {
                clients.Add(client);
                continue;
            }

            TrafficMetrics.Skipped(chunk.Data.Length);
            if (limit.ShouldTell())
                gateway.TellLimited(client, limit.Bucket, terminal, skipped: true);
        }

        return clients.Count == 0 ? targets : targets with { Clients = clients };
    }

    private static JsonObject Event(GatewayTerminal terminal, Output chunk)
    {
        var fields = terminal.Event("terminal_data");
        fields["offset"] = chunk.Offset;
        fields["next_offset"] = chunk.Next;
        fields["data"] = Encoding.UTF8.GetString(chunk.Data.Span);
        return fields;
    }

    private static void WriteData(FrameWriter output, GatewayTerminal terminal, Output chunk, Targets targets)
    {
        output.Begin(FrameKind.Text, HeadRoom + chunk.Data.Length);
        output.Write("{\"channel\":0,\"device_channel\":0,\"payload\":{\"event\":\"terminal_data\",\"terminal_id\":\""u8);
        JsonText.Write(output, terminal.Id);
        output.Write("\",\"channel\":\""u8);
        JsonText.Write(output, terminal.Id);
        output.Write("\",\"device_channel\":\""u8);
        JsonText.Write(output, terminal.Id);
        output.Write("\",\"project_id\":"u8);
        WriteText(output, terminal.Project);
        output.Write(",\"offset\":"u8);
        WriteNumber(output, chunk.Offset);
        output.Write(",\"next_offset\":"u8);
        WriteNumber(output, chunk.Next);
        output.Write(",\"data\":\""u8);
        JsonText.Write(output, chunk.Data.Span);
        output.Write("\""u8);
        WriteNames(output, ",\"client_channels\":"u8, targets.Clients);
        if (targets.Listed)
            WriteNames(output, ",\"client_sessions\":"u8, targets.Clients);
        output.Write("}}"u8);
        output.End();
    }

    private void Answer(FrameWriter output, PortacodeEvent answer, ServerMessage message)
    {
        var asker = Asker.Of(message.Client, message.Ref);
        WriteEvent(output, answer, gateway.Sessions.Only(asker.Client), asker);
    }

    private void WriteMissed(Missed missed, FrameWriter output)
    {
        var fields = (gateway.Terminals.GetValueOrDefault(missed.Name) ?? new GatewayTerminal(missed.Name, null)).Event("terminal_missed");
        fields.Remove("event");
        fields["from"] = missed.From;
        fields["to"] = missed.To;
        Broadcast(output, new PortacodeEvent("terminal_missed", fields));
    }

    private void Broadcast(FrameWriter output, PortacodeEvent news)
    {
        var fields = (JsonObject)news.Fields.DeepClone();
        fields["event"] = news.Name;
        var targets = gateway.Sessions.Interested(fields);
        if (targets.IsSent)
            WriteEvent(output, news, targets, null);
    }

    private void WriteEvent(FrameWriter output, PortacodeEvent news, Targets targets, Asker? asker)
    {
        var before = output.Written;
        output.Begin(FrameKind.Text, HeadRoom);
        using (var json = new Utf8JsonWriter(output, Relaxed))
        {
            json.WriteStartObject();
            json.WriteNumber("channel", 0);
            json.WriteNumber("device_channel", 0);
            json.WriteStartObject("payload");
            json.WriteString("event", news.Name);
            foreach (var (name, value) in news.Fields)
            {
                json.WritePropertyName(name);
                if (value is null)
                    json.WriteNullValue();
                else
                    value.WriteTo(json);
            }

            if (asker?.RequestId is { } id)
            {
                json.WritePropertyName("request_id");
                json.WriteRawValue(id);
            }

            if (asker is { UsesReplyChannel: true, Client: { } reply })
                json.WriteString("reply_channel", reply);
            if (targets.Clients.Count > 0)
            {
                WriteNames(json, "client_channels", targets.Clients);
                if (targets.Listed)
                    WriteNames(json, "client_sessions", targets.Clients);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        output.End();
        var bytes = output.Written - before;
        gateway.Bandwidth.Sent(targets.Clients, bytes);
        TrafficMetrics.Sent(news.IsLong ? "file" : "control", bytes);
    }

    private static void WriteNames(Utf8JsonWriter json, string property, IReadOnlyList<string> names)
    {
        json.WriteStartArray(property);
        foreach (var name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
    }

    private static void WriteNames(FrameWriter output, ReadOnlySpan<byte> property, IReadOnlyList<string> names)
    {
        output.Write(property);
        for (var i = 0; i < names.Count; i++)
        {
            output.Write(i == 0 ? "[\""u8 : ",\""u8);
            JsonText.Write(output, names[i]);
            output.Write("\""u8);
        }

        output.Write(names.Count == 0 ? "[]"u8 : "]"u8);
    }

    private static void WriteChannel(FrameWriter output, string channel)
    {
        output.Write("{\"channel\":\""u8);
        JsonText.Write(output, channel);
        output.Write("\",\"device_channel\":\""u8);
        JsonText.Write(output, channel);
        output.Write("\",\"payload\":"u8);
    }

    private static void WriteText(FrameWriter output, string? text)
    {
        if (text is null)
        {
            output.Write("null"u8);
            return;
        }

        output.Write("\""u8);
        JsonText.Write(output, text);
        output.Write("\""u8);
    }

    private static void WriteNumber(FrameWriter output, long number)
    {
        number.TryFormat(output.GetSpan(20), out var written, default, CultureInfo.InvariantCulture);
        output.Advance(written);
    }
}
