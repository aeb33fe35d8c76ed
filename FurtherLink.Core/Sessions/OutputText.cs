using System.Runtime.CompilerServices;
using System.Text;
using FurtherLink.Messages;

namespace FurtherLink.Sessions;

/// <summary>A program's output as text, for who does not care for offsets and streams.</summary>
public static class OutputText
{
    private const int MaxPiece = 16 * 1024;

    /// <summary>
    /// Reads to the program's end, both streams in the order in which it wrote them, as UTF-8; what is invalid becomes U+FFFD. How the text is cut
    /// into pieces means nothing, except that no character is cut. The program waits where the reader is slow. Stopping early ends it.
    /// </summary>
    /// <param name="output">The session's log.</param>
    /// <param name="from">The offset to begin at. Default 0: all of it.</param>
    /// <param name="cancellationToken">Ends the reading, not the program.</param>
    /// <exception cref="LinkException">
    /// <see cref="FailureCode.NotFound"/>: part of it is overwritten already, as reading began late or was too slow for others.
    /// </exception>
    public static async IAsyncEnumerable<string> ReadTextAsync(
        this OutputLog output, long from = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        using var reader = output.Attach(new ReaderOptions { From = from, Text = true });
        while (true)
        {
            var chunk = await reader.ReadAsync(MaxPiece, cancellationToken).ConfigureAwait(false);
            if (chunk.Missed > 0)
                throw new LinkException(FailureCode.NotFound, $"{chunk.Missed} bytes of the output before {chunk.Offset} are overwritten already");
            if (!chunk.Data.IsEmpty)
                yield return Encoding.UTF8.GetString(chunk.Data.Span);
            if (chunk.Exit is not null)
                yield break;
            reader.Release(chunk.Next);
        }
    }
}
