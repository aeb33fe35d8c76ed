using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Conformance;

/// <summary>A host whose clock stands, fake programs, and any number of clients over one transport.</summary>
internal abstract class AttachFixture(string transport)
{
    private readonly List<FurtherTestClient> _clients = [];

    protected ManualTimeProvider Time { get; private set; } = null!;

    protected TestHost Host { get; private set; } = null!;

    /// <summary>What a session's log holds.</summary>
    protected virtual int Capacity => 64 * 1024;

    /// <summary>What clients' programs run on that connect from now on; null = pipes.</summary>
    protected TerminalSize? Terminal { get; set; }

    [SetUp]
    public void SetUp()
    {
        Terminal = null;
        Time = new ManualTimeProvider();
        Host = new TestHost(configure: options => options.OutputCapacity = Capacity, time: Time);
    }

    [TearDown]
    public async Task TearDown()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        _clients.Clear();
        await Host.DisposeAsync();
    }

    protected static async Task PresenceAsync(FurtherTestClient client, Func<JsonArray, bool> condition)
    {
        while (!condition((await client.UntilAsync("presence"))["data"]!["members"]!.AsArray()))
        {
        }
    }

    protected static async Task<JsonNode> AttachAsync(FurtherTestClient client, string name, object data)
    {
        await client.SendAsync("attach", name, data);
        return (await client.UntilAsync("attached", name))["data"]!;
    }

    protected async Task<(string Id, FakeProcess Program)> StartAsync(FurtherTestClient client, object session, object? more = null)
    {
        var data = JsonSerializer.SerializeToNode(more ?? new { })!.AsObject();
        data["runner"] = "fake";
        data["session"] = JsonSerializer.SerializeToNode(session);
        await client.SendAsync("start", "1", data);
        var started = await client.UntilAsync("started");
        return ((string)started["data"]!["session"]!["id"]!, await Host.Runner.NextAsync());
    }

    protected async Task<FurtherTestClient> ConnectAsync(string extensions = "*", bool lossless = true)
    {
        ITestWire wire = transport == "memory"
            ? new MemoryWire(Host.Server, pipe => new LinkConnection("test", "further", pipe)
            {
                Principal = FurtherLink.Security.Rights.Grant("test", Access.Own),
                Extensions = extensions.Split(',').ToHashSet(),
                Defaults = new RunDefaults { Terminal = Terminal },
                Lossless = lossless,
            })
            : await WebSocketWire.ConnectAsync(new Uri(
                await Host.ListenAsync("ws"), $"/run?extensions={extensions}{(Terminal is null ? "" : "&pty=1")}{(lossless ? "" : "&delivery=latest")}"));
        var client = new FurtherTestClient(wire);
        _clients.Add(client);
        return client;
    }
}
