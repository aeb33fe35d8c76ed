using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Codecs;

namespace FurtherLink.Tests.Support;

/// <summary>A client of the native dialect.</summary>
internal sealed class FurtherTestClient(ITestWire wire) : IAsyncDisposable
{
    public ITestWire Wire { get; } = wire;

    public Task SendAsync(string type, string? process = null, object? data = null) =>
        Wire.SendAsync(JsonSerializer.Serialize(new { type, process, data }));

    public Task StartAsync(string process, string runner, string? code = null, string? path = null) =>
        SendAsync("start", process, new { runner, code, path });

    public Task InputAsync(string process, string input) => SendAsync("stdin", process, new { input });

    /// <summary>The next message; null when the server has ended the connection.</summary>
    public async Task<JsonNode?> NextAsync()
    {
        var frame = await Wire.ReceiveAsync();
        return frame is { Kind: FrameKind.Text or FrameKind.Binary } message ? JsonNode.Parse(message.Body) : null;
    }

    /// <summary>Reads up to a message of a type, about a process where one is named, leaving out all before it.</summary>
    public async Task<JsonNode> UntilAsync(string type, string? process = null)
    {
        while (true)
        {
            var message = await NextAsync() ?? throw new AssertionException($"The connection ended before \"{type}\" came.");
            if ((string?)message["type"] == type && (process is null || (string?)message["process"] == process))
                return message;
        }
    }

    /// <summary>Reads output up to a text, however it is cut into messages: a program writes in pieces, and so it is sent.</summary>
    public async Task<string> OutputUntilAsync(string text)
    {
        var output = new StringBuilder();
        while (!output.ToString().Contains(text, StringComparison.Ordinal))
            output.Append((string?)(await UntilAsync("stdout"))["data"]!["output"]);
        return output.ToString();
    }

    /// <summary>Reads all of a process until its stopped, which must be the last of it.</summary>
    public async Task<RunResult> RunAsync(string process)
    {
        var output = new StringBuilder();
        var error = new StringBuilder();
        while (true)
        {
            var message = await NextAsync() ?? throw new AssertionException($"The connection ended before process {process} stopped.");
            if ((string?)message["type"] == "error")
                throw new AssertionException($"An error came: {message.ToJsonString()}");
            if ((string?)message["process"] != process)
                continue;
            switch ((string?)message["type"])
            {
                case "stdout":
                    output.Append((string?)message["data"]!["output"]);
                    break;
                case "stderr":
                    error.Append((string?)message["data"]!["output"]);
                    break;
                case "stopped":
                    return new RunResult(output.ToString(), error.ToString(), (int)message["data"]!["exitCode"]!);
            }
        }
    }

    public async Task<JsonNode> PingAsync()
    {
        await SendAsync("ping");
        return await UntilAsync("pong");
    }

    public ValueTask DisposeAsync() => Wire.DisposeAsync();
}

internal sealed record RunResult(string Output, string Error, int ExitCode);
