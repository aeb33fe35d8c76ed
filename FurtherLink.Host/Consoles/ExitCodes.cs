using FurtherLink.Client;
using FurtherLink.Messages;

namespace FurtherLink.Host.Consoles;

/// <summary>What the commands for people end with, where that is not their program's own exit code; the numbers are those of env(1) and docker.</summary>
internal static class ExitCodes
{
    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The device cannot be reached, or refuses.</summary>
    public const int Refused = 125;

    /// <summary>The program cannot be run.</summary>
    public const int NotRunnable = 126;

    /// <summary>There is no such program.</summary>
    public const int NotFound = 127;

    /// <summary>As a shell tells that a signal ended a program.</summary>
    /// <param name="signal">Its number.</param>
    public static int OfSignal(int signal) => 128 + signal;

    /// <summary>As a shell tells how a program ended.</summary>
    public static int Of(ExitStatus status) => status.Signal is { } signal ? OfSignal(signal) : status.Code;

    /// <summary>As a shell tells that a program could not be started.</summary>
    public static int Of(LinkException refusal) => refusal switch
    {
        LinkConnectException => Refused,
        { Code: FailureCode.ProgramNotFound } => NotFound,
        { Code: FailureCode.ProgramNotRunnable } => NotRunnable,
        _ => Refused,
    };
}
