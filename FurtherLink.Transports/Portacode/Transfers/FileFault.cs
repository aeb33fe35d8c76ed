using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>What the operating system refuses, in the words that clients know.</summary>
internal static class FileFault
{
    /// <summary>Whether it is a refusal, and not a fault of ours.</summary>
    public static bool Is(Exception exception) =>
        exception is LinkException or IOException or UnauthorizedAccessException or InvalidDataException or NotSupportedException;

    /// <summary>The refusal, as one for the client.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="path">The path that it is about.</param>
    public static LinkException Of(Exception exception, string path) => exception switch
    {
        LinkException refusal => refusal,
        UnauthorizedAccessException => new LinkException(FailureCode.Denied, $"Permission denied: {path}", exception),
        FileNotFoundException or DirectoryNotFoundException => new LinkException(FailureCode.NotFound, $"File not found: {path}", exception),
        _ => new LinkException(FailureCode.Failed, exception.Message, exception),
    };
}
