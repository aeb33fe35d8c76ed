using System.Diagnostics;
using System.Text.RegularExpressions;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host;

/// <summary>The built executable as a process of its own, with a clean environment.</summary>
internal sealed partial class HostProcess : IAsyncDisposable
{
    // Only a hang reaches it; a busy machine does not.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(SoakSize.Of(shortForm: 60, longForm: 180));

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly List<string> _lines = [];

    private HostProcess(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The executable beside the tests.</summary>
    public static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "furtherlink");

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>All that it has printed so far and was read.</summary>
    public string Output => string.Join('\n', _lines);

    /// <summary>The first address of its start message ("https://127.0.0.1:40001").</summary>
    public Uri Address => new(AddressLine().Match(Output).Groups["address"].Value);

    /// <summary>Starts it.</summary>
    /// <param name="directory">Its working directory, also its home and the place of its state.</param>
    /// <param name="arguments">The command line, words separated by spaces.</param>
    /// <param name="variables">Environment variables; null removes one.</param>
    /// <param name="executable">Another copy of the executable.</param>
    public static HostProcess Start(string directory, string arguments, IReadOnlyDictionary<string, string?>? variables = null, string? executable = null) =>
        Start(directory, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), variables, executable);

    /// <summary>Starts it.</summary>
    public static HostProcess Start(string directory, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? variables = null, string? executable = null)
    {
        var start = new ProcessStartInfo(executable ?? Executable, arguments)
        {
            WorkingDirectory = directory,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(IsOurs).ToList())
            start.Environment.Remove(name);
        start.Environment["XDG_STATE_HOME"] = Path.Combine(directory, "state");
        foreach (var (name, value) in variables ?? new Dictionary<string, string?>())
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }

        return new HostProcess(Process.Start(start)!);
    }

    /// <summary>Starts it and waits until it has printed its whole start message.</summary>
    public static async Task<HostProcess> ServeAsync(
        string directory, string arguments, IReadOnlyDictionary<string, string?>? variables = null, string? executable = null)
    {
        var host = Start(directory, arguments, variables, executable);
        try
        {
            await host.ReadUntilAsync("Ctrl-C");
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs it to its end.</summary>
    public static Task<(int Code, string Output, string Errors)> RunAsync(
        string directory, string arguments, IReadOnlyDictionary<string, string?>? variables = null, string? executable = null) =>
        RunAsync(directory, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), variables, executable);

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(
        string directory, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? variables = null, string? executable = null, TimeSpan? limit = null)
    {
        await using var host = Start(directory, arguments, variables, executable);
        var output = await host._process.StandardOutput.ReadToEndAsync().WaitAsync(limit ?? Limit);
        return (await host.ExitAsync(), output, await host._errors);
    }

    /// <summary>Reads lines up to one that begins so, which must come.</summary>
    public async Task ReadUntilAsync(string prefix)
    {
        await ReadToAnyAsync(prefix);
        if (_lines is not [.., var last] || !last.StartsWith(prefix, StringComparison.Ordinal))
            Assert.Fail($"It ended without a line \"{prefix}\":\n{Output}\n{await _errors}");
    }

    /// <summary>Reads lines up to one that begins so, or to its end.</summary>
    public async Task ReadToAnyAsync(string prefix)
    {
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Limit) is { } line)
        {
            _lines.Add(line);
            if (line.StartsWith(prefix, StringComparison.Ordinal))
                return;
        }
    }

    /// <summary>A client of its standard input and output; cutting it kills it.</summary>
    public FurtherTestClient Client() => new(new LineWire(_process.StandardOutput.BaseStream, _process.StandardInput.BaseStream, _process.Kill));

    /// <summary>Ends its standard input.</summary>
    public void EndInput() => _process.StandardInput.Close();

    /// <summary>Reads no more of its standard output.</summary>
    public void EndOutput() => _process.StandardOutput.Close();

    /// <summary>Reads all lines up to its end.</summary>
    public async Task ReadToEndAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Limit) is { } line)
            _lines.Add(line);
    }

    /// <summary>Writes to its standard input.</summary>
    public async Task TypeAsync(string text)
    {
        await _process.StandardInput.WriteAsync(text);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Leaves out what it has printed so far.</summary>
    public void Forget() => _lines.Clear();

    /// <summary>Sends it a signal ("TERM").</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("/bin/kill", $"-{name} {_process.Id}");
        kill.WaitForExit();
    }

    /// <summary>Waits for its end by itself and gives its exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Limit);
        return _process.ExitCode;
    }

    /// <summary>What it wrote to standard error, once it has ended.</summary>
    public Task<string> ErrorsAsync() => _errors.WaitAsync(Limit);

    public async ValueTask DisposeAsync()
    {
        // Asked first, so that it takes its files with it.
        if (!_process.HasExited)
            Signal("TERM");
        using var patience = new CancellationTokenSource(Limit);
        await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static bool IsOurs(string name) =>
        name.StartsWith("FURTHER", StringComparison.OrdinalIgnoreCase) || name is "PORTACODE_GATEWAY" or "STATE_DIRECTORY" or "XDG_STATE_HOME";

    [GeneratedRegex(@"^  (?<address>https?://\S+)$", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex AddressLine();
}
