using System.Buffers;
using BenchmarkDotNet.Attributes;
using FurtherLink.Messages;
using FurtherLink.Sessions;

namespace FurtherLink.Micro;

/// <summary>A chunk of output into a log, and out again for each of its readers.</summary>
[MemoryDiagnoser]
public class LogBenchmarks : IDisposable
{
    private const int Chunk = 4096;
    private readonly OutputLog _log = new(new LogOptions());
    private readonly byte[] _bytes = TextBytes.Of(Texts.Log)[..Chunk];
    private OutputReader[] _readers = [];

    /// <summary>How many read it.</summary>
    [Params(1, 50)]
    public int Readers { get; set; }

    /// <summary>Whether they want whole characters of text.</summary>
    [Params(false, true)]
    public bool Text { get; set; }

    /// <summary>Makes it.</summary>
    [GlobalSetup]
    public void SetUp() => _readers = [.. Enumerable.Range(0, Readers).Select(_ => _log.Attach(new ReaderOptions { Text = Text }))];

    /// <summary>Through.</summary>
    [Benchmark]
    public async ValueTask<long> AppendAndRead()
    {
        var writer = _log.GetWriter(OutputKind.Out);
        writer.Write(_bytes);
        await writer.FlushAsync();
        var read = 0L;
        foreach (var reader in _readers)
        {
            while (reader.TryRead(65536, out var chunk))
            {
                read += chunk.Data.Length;
                reader.Release(chunk.Next);
            }
        }
        return read;
    }

    /// <inheritdoc/>
    [GlobalCleanup]
    public void Dispose()
    {
        _log.Dispose();
        GC.SuppressFinalize(this);
    }
}
