using System.IO.Pipelines;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using FurtherLink.Codecs;
using FurtherLink.Codecs.Further;
using FurtherLink.Messages;

namespace FurtherLink.Micro;

/// <summary>Output of a program as a frame of the native protocol, beside the framework's writer with its default encoder.</summary>
[MemoryDiagnoser]
public class EncodeBenchmarks : IDisposable
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline));
    private readonly FurtherCodec _codec = new(new LinkConnection("benchmark", "further", LinkPipe.CreatePair().Server));
    private readonly Output _output = new() { Name = "1", Kind = OutputKind.Out };
    private FrameWriter? _frames;
    private Utf8JsonWriter? _json;
    private byte[] _data = [];

    /// <summary>What is printed.</summary>
    [ParamsAllValues]
    public Texts Text { get; set; }

    /// <summary>Makes it.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _data = TextBytes.Of(Text);
        _output.Data = _data;
        _frames = new FrameWriter(_pipe.Writer);
        _json = new Utf8JsonWriter(_pipe.Writer, new JsonWriterOptions { SkipValidation = true });
    }

    /// <summary>The codec.</summary>
    [Benchmark]
    public ValueTask Codec()
    {
        _codec.Encode(_output, _frames!);
        return DrainAsync();
    }

    /// <summary>The framework's writer.</summary>
    [Benchmark(Baseline = true)]
    public async ValueTask JsonWriter()
    {
        _json!.Reset(_pipe.Writer);
        _json.WriteStartObject();
        _json.WriteString("type"u8, "stdout"u8);
        _json.WriteStartObject("data"u8);
        _json.WriteString("output"u8, _data);
        _json.WriteEndObject();
        _json.WriteEndObject();
        await _json.FlushAsync();
        await DrainAsync();
    }

    /// <inheritdoc/>
    [GlobalCleanup]
    public void Dispose()
    {
        _json?.Dispose();
        GC.SuppressFinalize(this);
    }

    private async ValueTask DrainAsync()
    {
        await _pipe.Writer.FlushAsync();
        _pipe.Reader.TryRead(out var result);
        _pipe.Reader.AdvanceTo(result.Buffer.End);
    }
}
