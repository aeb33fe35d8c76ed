using FurtherLink.Processes.Native;

namespace FurtherLink.Processes;

/// <summary>What a process that runs programs for others does first, before anything else in Main.</summary>
public static class ProcessSetup
{
    private const int Interrupt = 2;
    private const int ChildEnded = 17;

    /// <summary>
    /// Puts back signals that whoever started this process may have left ignored: with SIGCHLD ignored every exit code is lost
    /// (waitpid(2)), and a shell starts background commands with SIGINT ignored (POSIX, 2.12). Elsewhere than on Linux it does nothing.
    /// </summary>
    public static void Prepare()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Libc.ResetSignal(ChildEnded);
        Libc.ResetSignal(Interrupt);
    }
}
