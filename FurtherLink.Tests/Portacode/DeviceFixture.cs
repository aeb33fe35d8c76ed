using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Gateways;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Portacode;

/// <summary>A device in memory, and gateways in memory that are connected to it.</summary>
internal abstract class DeviceFixture
{
    private readonly List<GatewayClient> _clients = [];

    protected TestHost Host { get; private set; } = null!;

    protected PortacodeOptions Options { get; } = new();

    [SetUp]
    public void MakeDevice() => Host = new TestHost(builder => Configure(builder.AddPortacode()));

    [TearDown]
    public async Task DropDeviceAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        _clients.Clear();
        await Host.DisposeAsync();
    }

    /// <summary>What else a device of these tests has.</summary>
    protected virtual void Configure(LinkBuilder builder)
    {
    }

    protected Gateway MakeGateway() => new(Options, TimeProvider.System);

    /// <summary>Connects a gateway, and reads what it is greeted with.</summary>
    protected async Task<GatewayClient> ConnectAsync(Spelling spelling, Gateway? gateway = null)
    {
        var client = Connect(spelling, gateway);
        await client.UntilAsync("request_client_sessions");
        await client.UntilAsync("terminal_list");
        return client;
    }

    protected GatewayClient Connect(Spelling spelling, Gateway? gateway = null)
    {
        var client = new GatewayClient(
            new MemoryWire(Host.Server, frames => new LinkConnection("gateway", "portacode", frames)
            {
                Principal = Rights.Grant("gateway", Access.Own),
                Tag = gateway ?? MakeGateway(),
                Opening = Gateway.Opening,
                MaxChunk = 32 * 1024,
            }),
            spelling);
        _clients.Add(client);
        return client;
    }
}
