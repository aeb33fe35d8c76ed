using System.Runtime.InteropServices;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Files;

/// <summary>Says why an action on files failed, in the words that gateways know.</summary>
internal static class FileFaults
{
    /// <summary>Whether an exception is one of the file system's, which becomes an answer.</summary>
    public static bool IsExpected(Exception exception) => exception is IOException or UnauthorizedAccessException;

    /// <summary>Nothing is there.</summary>
    public static LinkException NotFound(string given) => new(FailureCode.NotFound, $"File not found: {given}");

    /// <summary>It may not be touched.</summary>
    public static LinkException Denied(string given) => new(FailureCode.Denied, $"Permission denied: {given}");

    /// <summary>Something has that name already.</summary>
    public static LinkException Taken(string given) => new(FailureCode.AlreadyExists, $"File or directory already exists: {given}");

    /// <summary>The system refused, in its own words.</summary>
    public static LinkException Failed(int errno, string given, string action = "") =>
        new(FailureCode.Failed, $"{action}[Errno {errno}] {Marshal.GetPInvokeErrorMessage(errno)}: '{given}'");

    /// <summary>Turns a fault of the file system into an answer.</summary>
    /// <param name="exception">The fault.</param>
    /// <param name="given">The path as the gateway named it.</param>
    /// <param name="missing">How an answer that nothing is there begins ("File not found").</param>
    /// <param name="action">How any other answer begins ("Failed to delete: ").</param>
    public static LinkException Explain(Exception exception, string given, string? missing = null, string action = "") => Errno.Of(exception) switch
    {
        Errno.AccessDenied or Errno.NotPermitted => Denied(given),
        Errno.NoEntry or Errno.NotDirectory when missing is not null => new LinkException(FailureCode.NotFound, $"{missing}: {given}"),
        0 => new LinkException(FailureCode.Failed, $"{action}{exception.Message}", exception),
        var errno => Failed(errno, given, action),
    };
}
