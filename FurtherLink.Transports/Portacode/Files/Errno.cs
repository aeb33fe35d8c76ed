namespace FurtherLink.Transports.Portacode.Files;

/// <summary>The system's numbers of why a call failed (errno-base.h), the same on every architecture that .NET runs on.</summary>
internal static class Errno
{
    internal const int NotPermitted = 1;
    internal const int NoEntry = 2;
    internal const int AccessDenied = 13;
    internal const int Busy = 16;
    internal const int Exists = 17;
    internal const int OtherDevice = 18;
    internal const int NotDirectory = 20;
    internal const int IsDirectory = 21;
    internal const int Invalid = 22;
    internal const int TooLarge = 27;
    internal const int ReadOnly = 30;
    internal const int NameTooLong = 36;
    internal const int NotEmpty = 39;
    internal const int TooManyLinks = 40;

    /// <summary>The number that an exception of .NET's or our own file calls stands for; 0 where it tells none.</summary>
    internal static int Of(Exception exception) => exception switch
    {
        FileNotFoundException or DirectoryNotFoundException => NoEntry,
        PathTooLongException => NameTooLong,
        UnauthorizedAccessException => exception.InnerException is IOException { HResult: > 0 } inner ? inner.HResult : AccessDenied,
        IOException { HResult: > 0 and < 4096 } => exception.HResult,
        _ => 0,
    };
}
