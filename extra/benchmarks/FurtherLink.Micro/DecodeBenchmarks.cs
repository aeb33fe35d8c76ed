using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using FurtherLink.Codecs;
using FurtherLink.Codecs.Further;

namespace FurtherLink.Micro;

/// <summary>A client's input: a key, and a pasted page.</summary>
[MemoryDiagnoser]
public class DecodeBenchmarks
{
    private readonly FurtherCodec _codec = new(new LinkConnection("benchmark", "further", LinkPipe.CreatePair().Server));
    private byte[] _message = [];

    /// <summary>Characters of the input.</summary>
    [Params(1, 4096)]
    public int Length { get; set; }

    /// <summary>Makes it.</summary>
    [GlobalSetup]
    public void SetUp() =>
        _message = Encoding.UTF8.GetBytes($$$"""{"type":"stdin","process":"1","data":{"input":"{{{new string('x', Length)}}}"}}""");

    /// <summary>Reads it, over and over from the same bytes.</summary>
    [Benchmark]
    public bool Codec() => _codec.TryDecode(new Frame(FrameKind.Text, new ReadOnlySequence<byte>(_message)), out _);
}
