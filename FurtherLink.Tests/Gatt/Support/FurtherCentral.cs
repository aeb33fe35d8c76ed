using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>A client of the device's service on a central: it cuts what it writes into chunks, and puts together what it reads and hears.</summary>
internal sealed class FurtherCentral(FakeCentral central)
{
    public const string Service = "12341000-1234-1234-1234-123456789aaa";

    private readonly ConcurrentDictionary<string, Channel<Heard>> _clients = new(StringComparer.Ordinal);
    private int _lastId = Random.Shared.Next(65536);

    /// <summary>A message that was heard.</summary>
    /// <param name="Id">That of its chunks.</param>
    /// <param name="Text">What it says.</param>
    public sealed record Heard(int Id, string Text)
    {
        public JsonElement Json => JsonDocument.Parse(Text).RootElement;
    }

    public FakeCentral Central => central;

    /// <summary>The longest value that it writes.</summary>
    public int ChunkSize { get; set; } = Math.Min(central.Mtu - 5, 510);

    /// <summary>A characteristic of the service by the end of its UUID: "aba" is the status.</summary>
    public static string Uuid(string end) => "12341000-1234-1234-1234-123456789" + end;

    /// <summary>Writes a message; completes when the last chunk has been taken.</summary>
    /// <param name="end">The end of the characteristic's UUID.</param>
    /// <param name="text">The message.</param>
    public async Task SendAsync(string end, string text)
    {
        foreach (var chunk in SpecChunks.Cut(Interlocked.Increment(ref _lastId) & 0xffff, Encoding.UTF8.GetBytes(text), ChunkSize))
            await central.WriteAsync(Uuid(end), chunk);
    }

    /// <summary>Reads a value: each read gives its next chunk.</summary>
    public async Task<string> ReadTextAsync(string end)
    {
        var assembler = new SpecAssembler();
        for (var reads = 0; reads < 1000; reads++)
        {
            if (assembler.Add(await central.ReadAsync(Uuid(end))) is { } whole)
                return Encoding.UTF8.GetString(whole.Message);
        }

        throw new InvalidOperationException($"The chunks of {end} come to no end.");
    }

    /// <summary>Listens to a characteristic from now on.</summary>
    public async Task<Subscription> ListenAsync(string end)
    {
        var subscription = await central.SubscribeAsync(Uuid(end));
        _ = HearAsync(subscription);
        return subscription;
    }

    /// <summary>What is said to a client, by the name that it made up; "" = what is said to none.</summary>
    public ChannelReader<Heard> Messages(string client) => Of(client).Reader;

    /// <summary>The next message to a client.</summary>
    public async Task<JsonElement> NextAsync(string client) => (await Messages(client).ReadAsync().AsTask().WaitAsync(Patience.Long)).Json;

    /// <summary>The next message to a client that is of some type; others before it are passed over.</summary>
    public async Task<JsonElement> NextAsync(string client, string type)
    {
        while (true)
        {
            var message = await NextAsync(client);
            if (message.TryGetProperty("type", out var found) && found.GetString() == type)
                return message;
        }
    }

    private async Task HearAsync(Subscription subscription)
    {
        var assembler = new SpecAssembler();
        await foreach (var chunk in subscription.Notifications.ReadAllAsync())
        {
            if (assembler.Add(chunk) is not { } whole)
                continue;
            var heard = new Heard(whole.Id, Encoding.UTF8.GetString(whole.Message));
            Of(ClientOf(heard)).Writer.TryWrite(heard);
        }
    }

    private static string ClientOf(Heard heard)
    {
        try
        {
            return heard.Json is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("client", out var client) ? client.ToString() : "";
        }
        catch (JsonException)
        {
            return "";
        }
    }

    private Channel<Heard> Of(string client) => _clients.GetOrAdd(client, static _ => Channel.CreateUnbounded<Heard>());
}
