namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>Reads exactly so many bytes of a file, whatever is added to it meanwhile; one that got shorter is an error.</summary>
/// <param name="inner">The file, at its start.</param>
/// <param name="length">How many bytes.</param>
internal sealed class FixedLengthStream(Stream inner, long length) : Stream
{
    private long _position;

    /// <inheritdoc />
    public override bool CanRead => true;

    // An archive asks for the length before it reads.
    /// <inheritdoc />
    public override bool CanSeek => true;

    /// <inheritdoc />
    public override bool CanWrite => false;

    /// <inheritdoc />
    public override long Length => length;

    /// <inheritdoc />
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc />
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc />
    public override int Read(Span<byte> buffer)
    {
        var wanted = (int)Math.Min(buffer.Length, length - _position);
        return wanted == 0 ? 0 : Count(inner.Read(buffer[..wanted]));
    }

    /// <inheritdoc />
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var wanted = (int)Math.Min(buffer.Length, length - _position);
        return wanted == 0 ? 0 : Count(await inner.ReadAsync(buffer[..wanted], cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc />
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc />
    public override void Flush()
    {
    }

    /// <inheritdoc />
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private int Count(int read)
    {
        if (read == 0)
            throw new IOException("A file has become shorter while it was read");
        _position += read;
        return read;
    }
}
