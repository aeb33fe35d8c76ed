using System.IO.Pipelines;
using System.Text;
using FurtherLink.Client;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Client;

/// <summary>A server in this process and clients of it.</summary>
internal sealed class ClientRig : IAsyncDisposable
{
    private readonly List<FurtherLinkClient> _clients = [];

    public ClientRig(Action<LinkOptions>? configure = null)
    {
        Host = new TestHost(configure: configure);
        Client = Connect();
    }

    /// <summary>A client without a network.</summary>
    public FurtherLinkClient Client { get; }

    public TestHost Host { get; }

    /// <summary>Another one.</summary>
    public FurtherLinkClient Connect(ClientOptions? options = null) => Add(FurtherLinkClient.Create(new InProcessConnector(Host.Server), options));

    /// <summary>A client whose connection can be cut.</summary>
    public (FurtherLinkClient Client, CuttableConnector Wire) ConnectCuttable(ClientOptions? options = null, int seed = 0)
    {
        var wire = new CuttableConnector(new InProcessConnector(Host.Server), seed);
        return (Add(FurtherLinkClient.Create(wire, options)), wire);
    }

    /// <summary>Reads to the end.</summary>
    public static async Task<byte[]> ReadAllAsync(PipeReader reader)
    {
        using var all = new MemoryStream();
        await reader.CopyToAsync(all).WaitAsync(TimeSpan.FromMinutes(2));
        return all.ToArray();
    }

    /// <summary>Reads a text to the end.</summary>
    public static async Task<string> ReadTextAsync(PipeReader reader) => Encoding.UTF8.GetString(await ReadAllAsync(reader));

    /// <summary>Reads until a text has come.</summary>
    public static async Task ReadUntilAsync(PipeReader reader, string text)
    {
        var wanted = Encoding.UTF8.GetBytes(text);
        while (true)
        {
            var result = await reader.ReadAsync().AsTask().WaitAsync(Patience.Long);
            var bytes = System.Buffers.BuffersExtensions.ToArray(result.Buffer);
            var at = bytes.AsSpan().IndexOf(wanted);
            if (at >= 0)
            {
                reader.AdvanceTo(result.Buffer.GetPosition(at + wanted.Length));
                return;
            }

            Assert.That(result.IsCompleted, Is.False, $"ended without \"{text}\": {Encoding.UTF8.GetString(bytes)}");
            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        await Host.DisposeAsync();
    }

    private FurtherLinkClient Add(FurtherLinkClient client)
    {
        _clients.Add(client);
        return client;
    }
}
