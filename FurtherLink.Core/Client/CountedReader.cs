using System.Buffers;
using System.IO.Pipelines;

namespace FurtherLink.Client;

/// <summary>A reader of a pipe that tells how much of it has been read.</summary>
/// <param name="inner">The pipe's reader.</param>
/// <param name="read">Called with the bytes that a reader is done with; must not wait.</param>
/// <param name="completed">Called when it reads no more; must not wait.</param>
internal sealed class CountedReader(PipeReader inner, Action<long> read, Action completed) : PipeReader
{
    private ReadOnlySequence<byte> _buffer;

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result))
            return false;
        _buffer = result.Buffer;
        return true;
    }

    /// <inheritdoc/>
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var result = await inner.ReadAsync(cancellationToken).ConfigureAwait(false);
        _buffer = result.Buffer;
        return result;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        var bytes = _buffer.IsEmpty ? 0 : _buffer.Slice(0, consumed).Length;
        _buffer = default;
        inner.AdvanceTo(consumed, examined);
        if (bytes > 0)
            read(bytes);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => inner.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        _buffer = default;
        inner.Complete(exception);
        completed();
    }
}
