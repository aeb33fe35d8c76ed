namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>
/// Reads an archive, and refuses to read much at once: what unpacks it asks for little, except for an extended header, which it would hold in memory
/// whatever size the archive claims.
/// </summary>
/// <param name="inner">The archive.</param>
internal sealed class BoundedReads(Stream inner) : Stream
{
    // A header holds a name of at most 4096 bytes and a few numbers; unpacking copies in pieces of 80 kB.
    private const int Most = 1 << 20;

    /// <inheritdoc />
    public override bool CanRead => true;

    /// <inheritdoc />
    public override bool CanSeek => true;

    /// <inheritdoc />
    public override bool CanWrite => false;

    /// <inheritdoc />
    public override long Length => inner.Length;

    /// <inheritdoc />
    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    /// <inheritdoc />
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc />
    public override int Read(Span<byte> buffer)
    {
        Demand(buffer.Length);
        return inner.Read(buffer);
    }

    /// <inheritdoc />
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Demand(buffer.Length);
        return inner.ReadAsync(buffer, cancellationToken);
    }

    /// <inheritdoc />
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc />
    public override void Flush()
    {
    }

    /// <inheritdoc />
    public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

    /// <inheritdoc />
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private static void Demand(int count)
    {
        if (count > Most)
            throw new InvalidDataException("The archive has a header that is too large");
    }
}
