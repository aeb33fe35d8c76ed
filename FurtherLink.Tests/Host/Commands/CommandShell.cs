namespace FurtherLink.Tests.Host.Commands;

/// <summary>A shell in which people type "furtherlink ...", in a folder of its own, with the device that a test gives it.</summary>
/// <param name="folder">Its working directory.</param>
internal sealed class CommandShell(TemporaryFolder folder)
{
    /// <summary>A device that is a child of the command.</summary>
    public const string OverStdio = "exec:furtherlink stdio --alone";

    /// <summary>The variables of its commands, beside those of every test.</summary>
    public Dictionary<string, string?> Variables { get; } = new()
    {
        ["PATH"] = $"{AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}",
    };

    /// <summary>Has its commands use a device; empty = none, so that they run programs in their own process.</summary>
    public void Use(string device) => Variables["FURTHERLINK_DEVICE"] = device;

    /// <summary>Runs a script of bash to its end.</summary>
    /// <param name="script">The script.</param>
    /// <param name="limit">How long it may take before it counts as hanging; null = as usual.</param>
    public Task<(int Code, string Output, string Errors)> RunAsync(string script, TimeSpan? limit = null) =>
        HostProcess.RunAsync(folder.Path, ["-c", script], Variables, "/bin/bash", limit);

    /// <summary>Starts a command, which takes the place of the shell. Whoever runs the tests may ignore signals; a command keeps that.</summary>
    public HostProcess Start(string command) => HostProcess.Start(folder.Path, ["-c", "exec env --default-signal=HUP,INT,QUIT,TERM " + command], Variables, "/bin/bash");
}
