using System.IO.Pipelines;
using FurtherLink.Messages;
using FurtherLink.Sessions;

namespace FurtherLink.Tests.Sessions;

/// <summary>Short words for what tests of the log do all the time.</summary>
internal static class LogTesting
{
    public static readonly ExitStatus Exit = new(7);

    /// <summary>Writes and flushes; the flush is given back.</summary>
    public static Task<FlushResult> Put(this OutputLog log, ReadOnlySpan<byte> data, OutputKind kind = OutputKind.Out)
    {
        var writer = log.GetWriter(kind);
        while (!data.IsEmpty)
        {
            var span = writer.GetSpan();
            var count = Math.Min(span.Length, data.Length);
            data[..count].CopyTo(span);
            writer.Advance(count);
            data = data[count..];
        }

        return writer.FlushAsync().AsTask();
    }

    /// <summary>Writes and flushes, where there is room.</summary>
    public static void PutNow(this OutputLog log, ReadOnlySpan<byte> data, OutputKind kind = OutputKind.Out)
    {
        var flush = log.Put(data, kind);
        Assert.That(flush.IsCompleted, Is.True, "the log is full");
    }

    /// <summary>Everything there is now, as pieces with data of their own.</summary>
    public static List<OutputChunk> ReadAll(this OutputReader reader, int maxBytes = 64 * 1024, bool release = true)
    {
        var chunks = new List<OutputChunk>();
        while (reader.TryRead(maxBytes, out var chunk))
        {
            chunks.Add(chunk with { Data = chunk.Data.ToArray() });
            if (release)
                reader.Release(chunk.Next);
        }

        return chunks;
    }

    /// <summary>The bytes of one kind.</summary>
    public static byte[] Of(this IEnumerable<OutputChunk> chunks, OutputKind kind = OutputKind.Out)
    {
        var bytes = new List<byte>();
        foreach (var chunk in chunks.Where(c => c.Kind == kind))
            bytes.AddRange(chunk.Data.Span);
        return [.. bytes];
    }

    /// <summary>Bytes that differ from place to place.</summary>
    public static byte[] Pattern(int length, int from = 0) =>
        [.. Enumerable.Range(from, length).Select(i => (byte)(i * 31 + i / 251))];
}
