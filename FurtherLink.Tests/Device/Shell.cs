using System.Diagnostics;

namespace FurtherLink.Tests.Device;

/// <summary>Runs the system's shell, for what .NET cannot make: FIFOs, names that are no text, files of other users.</summary>
internal static class Shell
{
    /// <summary>Runs a script to its end.</summary>
    /// <returns>Its exit code.</returns>
    public static int Run(string directory, string script)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script]) { WorkingDirectory = directory })!;
        process.WaitForExit();
        return process.ExitCode;
    }

    /// <summary>Runs a script and gives what it prints.</summary>
    public static string Read(string directory, string script)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script]) { WorkingDirectory = directory, RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Trim();
    }
}
