using System.Diagnostics;
using System.Runtime.Versioning;

namespace FurtherLink.Tests.Python;

/// <summary>A Python program with the package on its path, in a session and process group of its own.</summary>
[SupportedOSPlatform("linux")]
internal sealed class PythonProgram : IDisposable
{
    /// <summary>Debian's Python, which has Pillow and NumPy from Debian's packages.</summary>
    public const string Python = "/usr/bin/python3";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Task<string> _errors;

    public PythonProgram(string package, string code, IReadOnlyDictionary<string, string>? environment = null)
    {
        // setsid(1) does not fork where it is no group leader, so the process id is Python's.
        var start = new ProcessStartInfo("setsid", [Python, "-u", "-c", code])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["PYTHONPATH"] = package;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    public async Task<string?> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);

    public void WriteLine(string line) => _process.StandardInput.WriteLine(line);

    /// <summary>Sends a signal by its name ("INT").</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-s", name, Id.ToString()]);
        kill.WaitForExit();
    }

    /// <summary>Waits for the end; what it wrote to its two streams since, and its exit code.</summary>
    public async Task<(string Out, string Error, int ExitCode)> EndAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        var errors = await _errors.WaitAsync(Patience);
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return (output, errors, _process.ExitCode);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
