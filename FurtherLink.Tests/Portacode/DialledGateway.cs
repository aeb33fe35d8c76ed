using System.Threading.Channels;
using FurtherLink.Tests.Portacode.Gateways;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Portacode;

/// <summary>A gateway on a free port: it proves the key of every device that dials, and hands its connection to the test.</summary>
internal sealed class DialledGateway : IAsyncDisposable
{
    private readonly Channel<GatewayClient> _connected = Channel.CreateUnbounded<GatewayClient>();
    private TestGateway _listener = null!;

    private DialledGateway()
    {
    }

    /// <summary>Where devices dial.</summary>
    public Uri Address => _listener.Address;

    /// <summary>The key that the last device has proved to have.</summary>
    public string? Key { get; private set; }

    public static async Task<DialledGateway> StartAsync(Spelling spelling)
    {
        var gateway = new DialledGateway();
        gateway._listener = await TestGateway.StartAsync(async (socket, stop) =>
        {
            gateway.Key = await TestGateway.AuthenticateAsync(socket, stop);
            var wire = new AcceptedWire(socket);
            await gateway._connected.Writer.WriteAsync(new GatewayClient(wire, spelling), stop);
            await wire.Ended.WaitAsync(stop);
        });
        return gateway;
    }

    /// <summary>The next connection of a device.</summary>
    public async Task<GatewayClient> NextAsync() => await _connected.Reader.ReadAsync().AsTask().WaitAsync(Patience.Long);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();
}
