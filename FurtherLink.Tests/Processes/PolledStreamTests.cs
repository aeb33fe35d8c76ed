using System.IO.Pipes;
using FurtherLink.Processes.Io;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Processes;

public sealed class PolledStreamTests
{
    [Test]
    public async Task Read_CancelledWhileItWaits_EndsAndTakesNothing()
    {
        await using var other = new AnonymousPipeServerStream(PipeDirection.Out);
        await using var stream = new PolledStream((int)other.ClientSafePipeHandle.DangerousGetHandle(), writes: false);
        var buffer = new byte[100];
        for (var round = 0; round < 100; round++)
        {
            using var cancel = new CancellationTokenSource();
            var reading = stream.ReadAsync(buffer, cancel.Token).AsTask();
            await cancel.CancelAsync();
            Assert.That(async () => await reading.WaitAsync(Patience.Long), Throws.InstanceOf<OperationCanceledException>());
            await other.WriteAsync(new byte[] { (byte)round });
            Assert.That(await stream.ReadAsync(Memory<byte>.Empty).AsTask().WaitAsync(Patience.Long), Is.Zero, "there is something");
            Assert.That((await stream.ReadAsync(buffer).AsTask().WaitAsync(Patience.Long), buffer[0]), Is.EqualTo((1, (byte)round)));
        }

        await other.DisposeAsync();
        Assert.That(await stream.ReadAsync(buffer).AsTask().WaitAsync(Patience.Long), Is.Zero, "the end");
    }

    [Test]
    public async Task Write_MoreThanThePipeHolds_WaitsForTheReader()
    {
        await using var other = new AnonymousPipeServerStream(PipeDirection.In);
        await using var stream = new PolledStream((int)other.ClientSafePipeHandle.DangerousGetHandle(), writes: true);
        var bytes = new byte[1_000_001];
        Random.Shared.NextBytes(bytes);
        var writing = stream.WriteAsync(bytes).AsTask();
        var read = new byte[bytes.Length];
        await other.ReadExactlyAsync(read.AsMemory(0, 10));
        Assert.That(writing.IsCompleted, Is.False, "a pipe holds 64 KiB");
        await other.ReadExactlyAsync(read.AsMemory(10));
        await writing.WaitAsync(Patience.Long);
        Assert.That(read.AsSpan().SequenceEqual(bytes));
    }

    [Test]
    public async Task Write_CancelledWhileItWaits_Ends()
    {
        await using var other = new AnonymousPipeServerStream(PipeDirection.In);
        await using var stream = new PolledStream((int)other.ClientSafePipeHandle.DangerousGetHandle(), writes: true);
        using var cancel = new CancellationTokenSource();
        var writing = stream.WriteAsync(new byte[1_000_000], cancel.Token).AsTask();
        await cancel.CancelAsync();
        Assert.That(async () => await writing.WaitAsync(Patience.Long), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Write_NobodyReadsAnyMore_Fails()
    {
        var other = new AnonymousPipeServerStream(PipeDirection.In);
        await using var stream = new PolledStream((int)other.ClientSafePipeHandle.DangerousGetHandle(), writes: true);
        var writing = stream.WriteAsync(new byte[1_000_000]).AsTask();
        await other.DisposeAsync();
        Assert.That(async () => await writing.WaitAsync(Patience.Long), Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task Dispose_WhileAReadWaits_EndsIt()
    {
        await using var other = new AnonymousPipeServerStream(PipeDirection.Out);
        var stream = new PolledStream((int)other.ClientSafePipeHandle.DangerousGetHandle(), writes: false);
        var reading = stream.ReadAsync(new byte[1]).AsTask();
        await stream.DisposeAsync();
        Assert.That(async () => await reading.WaitAsync(Patience.Long), Throws.InstanceOf<ObjectDisposedException>());
        await stream.DisposeAsync();
    }
}
