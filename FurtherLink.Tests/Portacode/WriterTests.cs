using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Nodes;
using FurtherLink.Codecs;
using FurtherLink.Messages;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.Portacode.Clients;
using FurtherLink.Transports.Portacode.Codec;
using FurtherLink.Transports.Portacode.Gateways;

namespace FurtherLink.Tests.Portacode;

/// <summary>How output is written for gateways.</summary>
[TestFixture]
internal sealed class WriterTests
{
    private Gateway _gateway = null!;
    private Pipe _pipe = null!;

    [SetUp]
    public void MakeGateway()
    {
        _gateway = new Gateway(new PortacodeOptions(), TimeProvider.System);
        _pipe = new Pipe();
    }

    [Test]
    public void Output_Written_AllocatesNothing([Values] bool announced)
    {
        if (announced)
            _gateway.Sessions.Subscribe("A", Filter.ReadAll(JsonDocument.Parse("[{\"event\":\"terminal_*\"}]").RootElement));
        _gateway.Terminals["t"] = new GatewayTerminal("t", "p");
        var writer = new PortacodeWriter(_gateway);
        var frames = new FrameWriter(new SinkWriter());
        var output = new Output { Name = "t", Data = new byte[4096], Offset = 1L << 40, Next = (1L << 40) + 4096 };
        var least = long.MaxValue;
        for (var i = 0; i < 200; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            writer.Write(output, frames);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(least, Is.Zero);
        Assert.That(frames.Written, Is.GreaterThan(200 * 4096));
    }

    [Test]
    public void Output_OfAnyBytes_IsText([Values] bool announced)
    {
        if (announced)
            _gateway.Sessions.SetList([new ListedSession("A", null)]);
        _gateway.Terminals["t"] = new GatewayTerminal("t", null);
        var bytes = new byte[] { (byte)'"', (byte)'\\', 0, 27, 0xFF, 0xC3, 0xA9, 0xF0, 0x9F, 0x98, 0x80, 0xE2, 0x82 };
        var frames = new FrameWriter(_pipe.Writer);
        new PortacodeWriter(_gateway).Write(new Output { Name = "t", Data = bytes }, frames);
        _pipe.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
        _pipe.Reader.TryRead(out var result);
        var buffer = result.Buffer;
        Assert.That(Frames.TryRead(ref buffer, 65536, out var frame), Is.True);
        var payload = JsonNode.Parse(frame.Body.ToArray())!["payload"]!;
        Assert.That((string?)(announced ? payload["data"] : payload), Is.EqualTo("\"\\\0\u001b\ufffdé😀\ufffd"));
    }

    /// <summary>Takes everything and keeps nothing.</summary>
    private sealed class SinkWriter : PipeWriter
    {
        private readonly byte[] _memory = new byte[1 << 20];

        public override void Advance(int bytes)
        {
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => _memory;

        public override Span<byte> GetSpan(int sizeHint = 0) => _memory;

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;
    }
}
