using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Tests.Host;
using FurtherLink.Tests.Portacode.Gateways;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink.Tests.Portacode;

/// <summary>A real gateway that a device dials, and that drops it again and again in the middle of output.</summary>
[TestFixture]
internal sealed class GatewayCutTests
{
    // The long form: 102 MB and 1000 cuts.
    [Test]
    public async Task Output_OfADroppedGateway_ComesOnce_AndWhatTheWireSwallowedIsFetched()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FURTHERLINK_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        await TestContext.Out.WriteLineAsync($"seed {seed}");
        var (lines, cuts) = (SoakSize.Of(700_000, 12_500_000), SoakSize.Of(30, 1000));
        var receiver = new Receiver(new Random(seed), lines, cuts);
        using var folder = new TemporaryFolder();
        using (var key = RSA.Create(2048))
            folder.Write("keys/id_portacode", key.ExportRSAPrivateKeyPem());
        await using var gateway = await TestGateway.StartAsync(TestGateway.Taking(receiver.ServeAsync));
        await using var device = new TestHost(builder => builder.AddPortacode(configure: options =>
        {
            options.GatewayUrl = gateway.Address;
            options.KeyDirectory = Path.Combine(folder.Path, "keys");
            options.MinBackoff = options.MaxBackoff = TimeSpan.FromMilliseconds(1);
        }), options => options.OutputCapacity = 2 * receiver.Length);
        await device.ListenAsync("ws");
        await Task.WhenAny(receiver.Done, Task.Delay(TimeSpan.FromSeconds(SoakSize.Of(20, 900))));
        var log = device.Sessions.Sessions.Single().Output;
        Assert.That(receiver.Done.IsCompleted, Is.True, $"{receiver}; the log has {log.Start} to {log.End}");
        await receiver.Done;
        await TestContext.Out.WriteLineAsync(
            $"{receiver.Length} bytes over {gateway.Connections} connections: {receiver.Replayed} fetched again, {receiver.Missed} told as missed, {receiver.Gaps} gaps");
        Assert.That(receiver.Missed, Is.Zero, "all of it is kept");
        Assert.That(gateway.Connections, Is.GreaterThan(cuts / 2));
    }

    /// <summary>The gateway: checks each byte against what the program prints, and drops the device at random.</summary>
    private sealed class Receiver
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Random _random;
        private readonly byte[] _expected;
        private readonly int _lines;
        private readonly List<(long From, long To)> _open = [];
        private readonly HashSet<long> _asked = [];
        private int _underWay;
        private int _cuts;
        private string? _id;
        private long _begin = -1;
        private long _next;

        public Receiver(Random random, int lines, int cuts)
        {
            (_random, _lines, _cuts) = (random, lines, cuts);
            var text = new StringBuilder();
            for (var i = 1; i <= lines; i++)
                text.Append(CultureInfo.InvariantCulture, $"{i}\n");
            _expected = Encoding.ASCII.GetBytes(text.Append("end\n").ToString());
        }

        public Task Done => _done.Task;

        public int Length => _expected.Length;

        public long Replayed { get; private set; }

        public long Missed { get; private set; }

        public int Gaps { get; private set; }

        public override string ToString() => $"at {_next - _begin} of {Length}, {_cuts} cuts to go, open: {string.Join(' ', _open)}";

        public async Task ServeAsync(WebSocket socket, CancellationToken cancellationToken)
        {
            try
            {
                await AskAsync(socket, """{"cmd":"client_sessions_update","sessions":[{"channel_name":"A","connection_type":"dashboard"}]}""");
                if (_id is null)
                    await AskAsync(socket, """{"cmd":"terminal_start","shell":"/bin/sh","source_client_session":"A"}""");
                _asked.Clear();
                _underWay = 0;
                await FetchAsync(socket);
                var frames = _cuts > 0 ? _random.Next(1, 6) : int.MaxValue;
                while (true)
                {
                    if (await TestGateway.ReceiveAsync(socket, cancellationToken) is not { } text)
                        return;
                    if (JsonNode.Parse(text)!["payload"] is JsonObject payload)
                        await TakeAsync(socket, payload);
                    if (_begin >= 0 && _next == _begin + _expected.Length && _open.Count == 0)
                        _done.TrySetResult();
                    else if (_begin >= 0 && _next > _begin && --frames == 0)
                        break;
                }

                _cuts--;
                socket.Abort();
            }
            catch (AssertionException e)
            {
                _done.TrySetException(e);
            }
        }

        private async Task TakeAsync(WebSocket socket, JsonObject payload)
        {
            switch ((string?)payload["event"])
            {
                case "terminal_started":
                    _id = (string)payload["terminal_id"]!;
                    await TypeAsync(socket, "stty -echo -onlcr; PS1=; echo g''o\\n");
                    break;
                case "error":
                    throw new AssertionException(payload.ToJsonString());
                case "terminal_list" when _begin >= 0:
                    await SeeAsync(socket, (long)payload["sessions"]!.AsArray().Single()!["next_offset"]!);
                    break;
                case "terminal_missed":
                    Missed += (long)payload["to"]! - _next;
                    _next = (long)payload["to"]!;
                    break;
                case "terminal_data" when (string?)payload["terminal_id"] == _id:
                    await TakeDataAsync(socket, payload);
                    break;
            }
        }

        private async Task TakeDataAsync(WebSocket socket, JsonObject payload)
        {
            var (data, offset, next) = ((string)payload["data"]!, (long)payload["offset"]!, (long)payload["next_offset"]!);
            if (_begin < 0)
            {
                if (!data.EndsWith("go\n", StringComparison.Ordinal))
                    return;
                _begin = _next = next;
                await TypeAsync(socket, $"seq 1 {_lines}; echo en''d\\n");
                return;
            }

            var bytes = Encoding.ASCII.GetBytes(data);
            var at = (int)(offset - _begin);
            Assert.That(at >= 0 && _expected.AsSpan(at, bytes.Length).SequenceEqual(bytes), Is.True, $"what stands at {offset}");
            if (payload.ContainsKey("replay"))
            {
                Fill(offset, next);
                if (!(bool)payload["has_more"]!)
                {
                    _underWay--;
                    await FetchAsync(socket);
                }

                return;
            }

            Assert.That(offset, Is.GreaterThanOrEqualTo(_next), "nothing comes twice");
            await SeeAsync(socket, offset);
            _next = next;
        }

        /// <summary>Output goes on at an offset: what lies before it and did not come is fetched.</summary>
        private async Task SeeAsync(WebSocket socket, long offset)
        {
            if (offset <= _next)
                return;
            Gaps++;
            _open.Add((_next, offset));
            await FetchAsync(socket);
            _next = offset;
        }

        /// <summary>A replay closes gaps, or parts of them.</summary>
        private void Fill(long offset, long next)
        {
            foreach (var (from, to) in _open.ToList())
            {
                if (next <= from || offset >= to)
                    continue;
                _open.Remove((from, to));
                Replayed += Math.Min(to, next) - Math.Max(from, offset);
                if (from < offset)
                    _open.Add((from, offset));
                if (next < to)
                    _open.Add((next, to));
            }
        }

        /// <summary>Asks for what is missing, a few pieces at once.</summary>
        private async Task FetchAsync(WebSocket socket)
        {
            foreach (var (from, to) in _open.Where(gap => !_asked.Contains(gap.From)).Take(8 - _underWay).ToList())
            {
                _asked.Add(from);
                _underWay++;
                await AskAsync(socket, $$"""{"cmd":"terminal_replay","terminal_id":"{{_id}}","from":{{from}},"to":{{to}},"source_client_session":"A"}""");
            }
        }

        private Task TypeAsync(WebSocket socket, string text) =>
            AskAsync(socket, $$"""{"cmd":"terminal_send","terminal_id":"{{_id}}","data":"{{text}}","source_client_session":"A"}""");

        private static Task AskAsync(WebSocket socket, string payload) =>
            TestGateway.SendAsync(socket, $$"""{"channel":0,"payload":{{payload}}}""", CancellationToken.None);
    }
}
