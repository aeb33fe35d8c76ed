using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Peers;

/// <summary>What calls of a client wait keep of it is bounded by bytes, not only by their number.</summary>
[TestFixture]
internal sealed class WaitingCallsTests
{
    private const int Count = 6;

    [Test]
    public async Task Calls_WithLongMessages_AreReadOnlyWhileFewBytesWait()
    {
        var slow = new SlowFiles();
        await using var host = new TestHost(builder => builder.AddService(_ => slow));
        await using var client = new FurtherTestClient(new MemoryWire(host.Server));
        var sending = Task.Run(async () =>
        {
            var text = new string('x', 2_500_000);
            for (var i = 0; i < Count; i++)
                await client.SendAsync("uploadFile", data: new { upload = "u1", path = "f", text });
        });

        for (var i = 0; i < Count; i++)
        {
            await slow.Came.WaitAsync(Patience.Long);
            if (i > 0)
                slow.May.Release();
        }

        slow.May.Release();
        await sending.WaitAsync(Patience.Long);
        Assert.That(slow.Most, Is.EqualTo(2), "two have more than 4 MiB between them");
    }

    private sealed class SlowFiles : IService
    {
        private int _now;

        public string Name => "files";

        public SemaphoreSlim Came { get; } = new(0);

        public SemaphoreSlim May { get; } = new(0);

        public int Most { get; private set; }

        public Access Needs(Call call) => Access.View;

        public async ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken)
        {
            Most = Math.Max(Most, Interlocked.Increment(ref _now));
            Came.Release();
            await May.WaitAsync(CancellationToken.None);
            Interlocked.Decrement(ref _now);
            return null;
        }
    }
}
