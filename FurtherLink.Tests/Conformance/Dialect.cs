using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Codecs;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>What a client of any dialect sees.</summary>
internal enum Seen
{
    Opened,
    Output,
    Error,
    Closed,
    Pong,
    Failed,
    Missed,
}

/// <summary>One thing a client sees.</summary>
/// <param name="What">What.</param>
/// <param name="Name">Of which session; null where of none.</param>
/// <param name="Text">The output, or what was wrong.</param>
/// <param name="Code">The exit code.</param>
internal sealed record Event(Seen What, string? Name, string Text = "", int Code = 0);

/// <summary>A client's side of a dialect: what the conformance tests need of it.</summary>
internal abstract class Dialect(ITestWire wire)
{
    private readonly Queue<Event> _events = new();

    public ITestWire Wire { get; } = wire;

    /// <summary>Starts a program of the fake runner, or a script of /bin/sh.</summary>
    public abstract Task StartAsync(string name, string? script = null);

    public abstract Task InputAsync(string name, string text);

    public abstract Task StopAsync(string name);

    public abstract Task PingAsync();

    public async Task<Event> NextAsync()
    {
        while (_events.Count == 0)
        {
            var frame = await Wire.ReceiveAsync() ?? throw new AssertionException("The connection ended.");
            foreach (var one in Decode(frame.Kind, frame.Body))
                _events.Enqueue(one);
        }

        return _events.Dequeue();
    }

    public async Task<Event> UntilAsync(Seen what, string? name = null)
    {
        while (true)
        {
            var next = await NextAsync();
            if (next.What == what && (name is null || next.Name == name))
                return next;
        }
    }

    /// <summary>All that comes of a session up to its end.</summary>
    public async Task<(string Output, string Error, int Code)> ReadAllAsync(string name)
    {
        var output = new StringBuilder();
        var error = new StringBuilder();
        while (true)
        {
            var next = await NextAsync();
            if (next.Name != name)
                continue;
            switch (next.What)
            {
                case Seen.Output:
                    output.Append(next.Text);
                    break;
                case Seen.Error:
                    error.Append(next.Text);
                    break;
                case Seen.Closed:
                    return (output.ToString(), error.ToString(), next.Code);
                case Seen.Failed:
                    throw new AssertionException($"Failed: {next.Text}");
            }
        }
    }

    public override string ToString() => GetType().Name;

    protected abstract IEnumerable<Event> Decode(FrameKind kind, byte[] body);
}

/// <summary>The native dialect.</summary>
internal sealed class FurtherDialect(ITestWire wire) : Dialect(wire)
{
    private readonly FurtherTestClient _client = new(wire);

    public override Task StartAsync(string name, string? script = null) =>
        script is null ? _client.StartAsync(name, "fake") : _client.StartAsync(name, "exec", "#!/bin/sh\n" + script);

    public override Task InputAsync(string name, string text) => _client.InputAsync(name, text);

    public override Task StopAsync(string name) => _client.SendAsync("stop", name);

    public override Task PingAsync() => _client.SendAsync("ping");

    protected override IEnumerable<Event> Decode(FrameKind kind, byte[] body)
    {
        var message = JsonNode.Parse(body)!;
        var name = (string?)message["process"];
        yield return (string?)message["type"] switch
        {
            "pong" => new Event(Seen.Pong, null),
            "started" => new Event(Seen.Opened, name),
            "stdout" => new Event(Seen.Output, name, (string)message["data"]!["output"]!),
            "stderr" => new Event(Seen.Error, name, (string)message["data"]!["output"]!),
            "stopped" => new Event(Seen.Closed, name, Code: (int)message["data"]!["exitCode"]!),
            "error" => new Event(Seen.Failed, (string?)message["data"]!["process"], $"{message["data"]!["message"]}: {message["data"]!["detail"]}"),
            var other => throw new AssertionException($"A message of an unknown type \"{other}\": {message.ToJsonString()}"),
        };
    }
}
