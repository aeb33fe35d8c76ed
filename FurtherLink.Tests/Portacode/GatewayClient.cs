using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode;

/// <summary>The gateway's side of a connection, in one of the spellings.</summary>
internal sealed class GatewayClient(ITestWire wire, Spelling spelling) : IAsyncDisposable
{
    private int _drains;

    public ITestWire Wire { get; } = wire;

    private bool _disposed;

    public Spelling Spelling { get; } = spelling;

    /// <summary>Asks for an action.</summary>
    /// <param name="action">Which.</param>
    /// <param name="arguments">Its arguments; null = none.</param>
    /// <param name="client">The client session that asks; null = none is named.</param>
    /// <param name="requestId">The request's id; null = none.</param>
    public Task AskAsync(string action, JsonObject? arguments = null, string? client = "A", JsonNode? requestId = null)
    {
        arguments ??= [];
        var payload = Spelling is Spelling.Document ? new JsonObject { ["command"] = action, ["payload"] = arguments } : arguments;
        if (Spelling is not Spelling.Document)
            payload["cmd"] = action;
        if (client is not null)
            payload[Spelling switch { Spelling.Document => "client_channel", Spelling.Legacy => "reply_channel", _ => "source_client_session" }] = client;
        if (requestId is not null)
            payload["request_id"] = requestId;
        return SendAsync(new JsonObject { [Spelling is Spelling.Document ? "device_channel" : "channel"] = 0, ["payload"] = payload });
    }

    public Task SendAsync(JsonNode frame) => Wire.SendAsync(frame.ToJsonString());

    /// <summary>The next frame; null when the device has ended the connection.</summary>
    public async Task<JsonNode?> NextAsync() =>
        await Wire.ReceiveAsync() is { } frame ? JsonNode.Parse(frame.Body) : null;

    /// <summary>Reads up to an event, leaving out all before it.</summary>
    public async Task<JsonObject> UntilAsync(string name, Func<JsonObject, bool>? matches = null)
    {
        while (true)
        {
            var frame = await NextAsync() ?? throw new AssertionException($"The connection ended before \"{name}\" came.");
            if (frame["payload"] is JsonObject payload && (string?)payload["event"] == name && matches?.Invoke(payload) != false)
                return payload;
        }
    }

    /// <summary>Reads up to one of several events.</summary>
    public async Task<JsonObject> AnyAsync(params string[] names)
    {
        while (true)
        {
            var frame = await NextAsync() ?? throw new AssertionException($"The connection ended before one of {string.Join(", ", names)} came.");
            if (frame["payload"] is JsonObject payload && names.Contains((string?)payload["event"], StringComparer.Ordinal))
                return payload;
        }
    }

    /// <summary>Asks, and reads up to the answer of a name, or an error.</summary>
    public async Task<JsonObject> AnswerAsync(string action, JsonObject? arguments, string answer, string? client = "A")
    {
        await AskAsync(action, arguments, client);
        while (true)
        {
            var frame = await NextAsync() ?? throw new AssertionException($"The connection ended before \"{answer}\" came.");
            if (frame["payload"] is not JsonObject payload)
                continue;
            if ((string?)payload["event"] == "error")
                throw new AssertionException($"{action}: {payload["message"]}");
            if ((string?)payload["event"] == answer)
                return payload;
        }
    }

    /// <summary>Asks, and reads up to the error.</summary>
    public async Task<JsonObject> ErrorAsync(string action, JsonObject? arguments = null, string? client = "A", JsonNode? requestId = null)
    {
        await AskAsync(action, arguments, client, requestId);
        return await UntilAsync("error");
    }

    /// <summary>All frames up to an event, that one last.</summary>
    public async Task<List<JsonObject>> CollectAsync(Func<JsonObject, bool> isLast)
    {
        var frames = new List<JsonObject>();
        while (true)
        {
            var frame = (await NextAsync() ?? throw new AssertionException($"The connection ended; there was: {string.Join('\n', frames.Select(seen => seen.ToJsonString()))}")).AsObject();
            frames.Add(frame);
            if (frame["payload"] is JsonObject payload && isLast(payload))
                return frames;
        }
    }

    /// <summary>All frames that come before the answer to what is asked now, which is not among them.</summary>
    public async Task<List<JsonObject>> DrainAsync()
    {
        var id = $"drain-{++_drains}";
        await AskAsync("terminal_list", null, "drain", id);
        var frames = await CollectAsync(payload => payload["request_id"] is JsonValue value && value.ToString() == id);
        return frames[..^1];
    }

    /// <summary>Starts a terminal.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> StartAsync(string shell = "/bin/sh", JsonObject? more = null)
    {
        more ??= [];
        more["shell"] = shell;
        return (string)(await AnswerAsync("terminal_start", more, "terminal_started"))["terminal_id"]!;
    }

    public Task TypeAsync(string terminal, string text) => AskAsync("terminal_send", new JsonObject { ["terminal_id"] = terminal, ["data"] = text });

    /// <summary>A terminal's output up to a text, in either form.</summary>
    public async Task<string> OutputUntilAsync(string terminal, string text)
    {
        var output = new StringBuilder();
        while (!output.ToString().Contains(text, StringComparison.Ordinal))
        {
            var frame = await NextAsync() ?? throw new AssertionException($"The connection ended before \"{text}\" was printed; there was: {output}");
            output.Append(OutputOf(frame, terminal));
        }

        return output.ToString();
    }

    /// <summary>What a frame holds of a terminal's output.</summary>
    public static string? OutputOf(JsonNode frame, string terminal) => frame["payload"] switch
    {
        JsonObject payload when (string?)payload["event"] == "terminal_data" && (string?)payload["terminal_id"] == terminal => (string?)payload["data"],
        JsonValue raw when (string?)frame["channel"]?.ToString() == terminal => (string?)raw,
        _ => null,
    };

    /// <summary>Cuts the connection, and waits until the device has let go of it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_disposed)
            await Wire.DisposeAsync();
        _disposed = true;
    }
}
