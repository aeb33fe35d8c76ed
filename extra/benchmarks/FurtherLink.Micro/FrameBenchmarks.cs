using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using FurtherLink.Codecs;

namespace FurtherLink.Micro;

/// <summary>A frame through a pipe: written, and taken off again.</summary>
[MemoryDiagnoser]
public class FrameBenchmarks
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline));
    private FrameWriter? _frames;
    private byte[] _body = [];

    /// <summary>Bytes of its body.</summary>
    [Params(16, 4096, 65536)]
    public int Length { get; set; }

    /// <summary>Makes it.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _frames = new FrameWriter(_pipe.Writer);
        _body = new byte[Length];
    }

    /// <summary>Through.</summary>
    [Benchmark]
    public async ValueTask<bool> WriteAndRead()
    {
        _frames!.Write(FrameKind.Text, _body);
        await _pipe.Writer.FlushAsync();
        _pipe.Reader.TryRead(out var result);
        var buffer = result.Buffer;
        var read = Frames.TryRead(ref buffer, 1 << 20, out _);
        _pipe.Reader.AdvanceTo(buffer.Start);
        return read;
    }
}
