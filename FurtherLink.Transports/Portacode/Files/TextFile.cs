using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using FurtherLink.Device;
using FurtherLink.Messages;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Reads text files for gateways: the whole of one, or a page of its lines. Nothing is translated, line ends least of all.</summary>
/// <param name="most">The most bytes to read at once; of a page, the most characters.</param>
internal sealed class TextFile(int most)
{
    private const int BufferSize = 64 * 1024;

    // A page needs a look at all lines: at a slow card's 20 MB/s that is some three minutes.
    private const long MostToCount = 4L << 30;

    /// <summary>Opens what can be read as a file: no directory, no pipe, no device.</summary>
    /// <exception cref="LinkException">It is none.</exception>
    public static SafeFileHandle Open(DevicePath path)
    {
        // To open a device may already do something, so it is looked at before; and after, as somebody may have swapped it.
        Require(path.Look() ?? throw FileFaults.NotFound(path.Given), path.Given);
        var file = path.OpenToRead();
        try
        {
            Require(PathStatus.Of(file), path.Given);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="LinkException">It is no text, or too large.</exception>
    public JsonObject ReadAll(DevicePath path, TextEncoding encoding, CancellationToken cancellationToken)
    {
        using var file = Open(path);
        // Files of /proc say that they are empty, and others may grow: what counts is what is read.
        var size = RandomAccess.GetLength(file);
        if (size > most)
            throw TooLarge(path.Given, most);
        var bytes = ArrayPool<byte>.Shared.Rent((int)Math.Max(size + 1, 4096));
        try
        {
            var length = 0;
            for (int read; (read = RandomAccess.Read(file, bytes.AsSpan(length), length)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                length += read;
                if (length > most)
                    throw TooLarge(path.Given, most);
                if (length == bytes.Length)
                    Grow(ref bytes);
            }
            return new JsonObject { ["path"] = path.Given, ["content"] = encoding.Encoding.GetString(bytes, 0, length), ["size"] = length };
        }
        catch (DecoderFallbackException)
        {
            throw NoText(path.Given);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Reads some lines of a file, each with its line end.</summary>
    /// <exception cref="LinkException">It is no text, or too large.</exception>
    public JsonObject ReadLines(DevicePath path, TextEncoding encoding, LineRange range, CancellationToken cancellationToken)
    {
        using var file = Open(path);
        var page = new LinePage(range, most);
        var bytes = ArrayPool<byte>.Shared.Rent(BufferSize);
        var characters = ArrayPool<char>.Shared.Rent(encoding.Encoding.GetMaxCharCount(BufferSize));
        try
        {
            var decoder = encoding.Encoding.GetDecoder();
            long length = 0;
            int read;
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                read = RandomAccess.Read(file, bytes.AsSpan(0, BufferSize), length);
                length += read;
                if (length > MostToCount)
                    throw TooLarge(path.Given, MostToCount);
                var count = decoder.GetChars(bytes.AsSpan(0, read), characters, flush: read == 0);
                if (!page.Add(characters.AsSpan(0, count)))
                    throw TooLarge(path.Given, most);
            }
            while (read > 0);
            return page.Answer(path.Given, length, encoding.Name);
        }
        catch (DecoderFallbackException)
        {
            throw NoText(path.Given);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            ArrayPool<char>.Shared.Return(characters);
        }
    }

    private static void Require(PathStatus status, string given)
    {
        if (!status.IsFile)
            throw status.IsDirectory ? FileFaults.Failed(Errno.IsDirectory, given) : new LinkException(FailureCode.Failed, $"Not a regular file: {given}");
    }

    private static void Grow(ref byte[] bytes)
    {
        var larger = ArrayPool<byte>.Shared.Rent(bytes.Length * 2);
        bytes.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = larger;
    }

    private static LinkException TooLarge(string given, long limit) => new(FailureCode.Limited, $"File is too large to read (more than {limit} bytes): {given}");

    private static LinkException NoText(string given) => new(FailureCode.BadValue, $"File is not text or uses unsupported encoding: {given}");
}
