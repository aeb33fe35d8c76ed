using System.Buffers.Text;
using System.Diagnostics;
using FurtherLink.Messages;
using FurtherLink.Sessions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Sessions.Spills;

/// <summary>A real program that prints much more than the memory holds, read from its start while it runs and after its end.</summary>
internal sealed class SpillSoakTests
{
    [Test]
    public async Task Program_PrintsFarMoreThanTheMemoryHolds_IsReadFromItsStart()
    {
        // 15 MB; in the long form 1.1 GB.
        var last = SoakSize.Of(shortForm: 2_000_000, longForm: 121_000_000);
        var root = Directory.CreateTempSubdirectory("furtherlink-test-").FullName;
        await using (var host = new TestHost(configure: options =>
        {
            options.OutputCapacity = 256 * 1024;
            options.SpillCapacity = 2L * 1024 * 1024 * 1024;
            options.SpillDirectory = root;
        }))
        {
            var watch = Stopwatch.StartNew();
            var session = await host.Sessions.StartAsync(new RunRequest("exec")
            {
                Code = $"#!/bin/sh\nexec seq 1 {last}",
                Session = new SessionOptions { WhenDetached = WhenDetached.Keep },
            });
            var chasing = Task.Run(() => ReadAsync(session.Output, last));
            await session.Exited;
            var printed = watch.Elapsed;
            var reached = await chasing;
            watch.Restart();
            var size = await ReadAsync(session.Output, last);
            await TestContext.Out.WriteLineAsync(
                $"{size >> 20} MiB printed and written in {printed.TotalSeconds:F1} s ({(size >> 20) / printed.TotalSeconds:F0} MiB/s), read from disk in {watch.Elapsed.TotalSeconds:F1} s ({(size >> 20) / watch.Elapsed.TotalSeconds:F0} MiB/s, checked)");
            Assert.That((size, reached), Is.EqualTo((session.Output.End, session.Output.End)));
        }

        Assert.That(Directory.GetDirectories(root), Is.Empty);
        Directory.Delete(root);
    }

    // Checks that the numbers come one after the other, and gives back how many bytes there were.
    private static async Task<long> ReadAsync(OutputLog log, int last)
    {
        using var reader = log.Attach(new ReaderOptions { Lossless = true });
        var expected = new byte[64 * 1024 + 16];
        var ready = 0;
        var next = 1;
        while (true)
        {
            var chunk = await reader.ReadAsync(64 * 1024, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromMinutes(2));
            Assert.That(chunk.Missed, Is.Zero);
            if (chunk.Exit is { } exit)
            {
                Assert.That((exit.Code, next - 1, ready), Is.EqualTo((0, last, 0)));
                return chunk.Next;
            }

            for (; ready < chunk.Data.Length; ready++)
            {
                Utf8Formatter.TryFormat(next++, expected.AsSpan(ready), out var written);
                ready += written;
                expected[ready] = (byte)'\n';
            }

            if (!chunk.Data.Span.SequenceEqual(expected.AsSpan(0, chunk.Data.Length)))
                Assert.Fail($"The bytes at {chunk.Offset} are not what was printed.");
            expected.AsSpan(chunk.Data.Length, ready - chunk.Data.Length).CopyTo(expected);
            ready -= chunk.Data.Length;
            reader.Release(chunk.Next);
        }
    }
}
