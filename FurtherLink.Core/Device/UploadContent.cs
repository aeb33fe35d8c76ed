using FurtherLink.Messages;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Device;

/// <summary>A long content of an upload that waits in a file without a name until it is known where it belongs. Disposing closes, and so removes, it.</summary>
/// <param name="file">Open to read and write; disposed with this.</param>
/// <param name="isBase64">Whether it comes as base64.</param>
internal sealed class UploadContent(SafeFileHandle file, bool isBase64) : IDisposable
{
    private const int Piece = 64 * 1024;

    /// <summary>What was wrong with it.</summary>
    public ContentFault Fault { get; private set; }

    /// <summary>Its bytes.</summary>
    public long Length { get; private set; }

    /// <summary>Makes what writes into it.</summary>
    public ContentWriter Write() => new(file, isBase64);

    /// <summary>It has come to its end.</summary>
    public void End(ContentWriter writer)
    {
        writer.Finish();
        Fault = writer.Fault;
        Length = writer.Length;
    }

    /// <summary>Gives it a name in a directory.</summary>
    /// <returns>False where that cannot be: on another file system, or the name is taken.</returns>
    /// <exception cref="IOException">It cannot be given to the owner.</exception>
    public bool TryMoveTo(Place place, ConfinedRoot root) => place.Parent.TryLink(place.Leaf, file, root.FileOwner);

    /// <summary>Copies it into an empty file.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void CopyTo(SafeFileHandle target) => Copy(file, target);

    /// <summary>Copies a file into an empty one.</summary>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public static void Copy(SafeFileHandle source, SafeFileHandle target)
    {
        var buffer = new byte[Piece];
        long at = 0;
        for (int read; (read = RandomAccess.Read(source, buffer, at)) > 0; at += read)
            RandomAccess.Write(target, buffer.AsSpan(0, read), at);
    }

    /// <summary>Refuses a content that something is wrong with.</summary>
    /// <exception cref="LinkException">Something is.</exception>
    public static void Check(ContentFault fault, RelativePath path)
    {
        if (fault == ContentFault.HalfSurrogate)
            throw new LinkException(FailureCode.Failed, $"the text of \"{path}\" holds half a surrogate pair");
        if (fault == ContentFault.NotBase64)
            throw Upload.Invalid($"the content of \"{path}\" is not base64");
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
