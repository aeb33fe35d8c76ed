using System.Text;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>How the bytes of a text file are read: strictly, so that nothing that is no text passes for one, and a byte order mark stays.</summary>
/// <param name="Name">Its name in answers.</param>
/// <param name="Encoding">Throws on what is no text.</param>
internal sealed record TextEncoding(string Name, Encoding Encoding)
{
    /// <summary>What files are in when nobody says otherwise.</summary>
    public static TextEncoding Utf8 { get; } = new("utf-8", new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));

    /// <summary>Finds an encoding by name; null = UTF-8.</summary>
    /// <exception cref="LinkException">It is not known here.</exception>
    public static TextEncoding Find(string? name) => name?.ToLowerInvariant().Replace('_', '-') switch
    {
        null or "utf-8" or "utf8" => Utf8,
        "ascii" or "us-ascii" => new("ascii", Encoding.GetEncoding("us-ascii", EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)),
        "latin-1" or "latin1" or "iso-8859-1" or "iso8859-1" => new("latin-1", Encoding.Latin1),
        "utf-16-le" or "utf-16le" => new("utf-16-le", new UnicodeEncoding(bigEndian: false, byteOrderMark: false, throwOnInvalidBytes: true)),
        "utf-16-be" or "utf-16be" => new("utf-16-be", new UnicodeEncoding(bigEndian: true, byteOrderMark: false, throwOnInvalidBytes: true)),
        _ => throw new LinkException(FailureCode.BadValue, $"Unknown encoding: {name}"),
    };
}
