using FurtherLink.Processes.Runners;
using Microsoft.Extensions.Options;

namespace FurtherLink;

/// <summary>Finds, before anything is started, what is wrong with <see cref="LinkOptions"/> and what each property alone cannot tell.</summary>
internal sealed class LinkOptionsValidation : IValidateOptions<LinkOptions>
{
    // The longest that a timer can be set to: 2^32 - 2 ms.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    // The kernel counts in periods of 100 ms, and gives 1 ms of each at least. No device has the most.
    private const double FewestCpus = 0.01;
    private const double MostCpus = 100_000;
    private const int FewestOpenFiles = 16;

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, LinkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var mistakes = Find(options).ToList();
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static IEnumerable<string> Find(LinkOptions options)
    {
        if (options.StopGrace < TimeSpan.Zero || options.StopGrace > Longest)
            yield return Wrong(nameof(LinkOptions.StopGrace), options.StopGrace, "must be 0 to 49 days");
        if (options.AuthenticationTimeout <= TimeSpan.Zero || options.AuthenticationTimeout > Longest)
            yield return Wrong(nameof(LinkOptions.AuthenticationTimeout), options.AuthenticationTimeout, "must be more than 0 and at most 49 days");
        if (options.InputTimeout < TimeSpan.Zero || options.InputTimeout > Longest)
            yield return Wrong(nameof(LinkOptions.InputTimeout), options.InputTimeout, "must be 0 to 49 days");
        if (!IsEver(options.KeepExited) && (options.KeepExited < TimeSpan.Zero || options.KeepExited > Longest))
            yield return Wrong(nameof(LinkOptions.KeepExited), options.KeepExited, "must be 0 to 49 days, or Timeout.InfiniteTimeSpan");
        if (!IsEver(options.ClientStallTimeout) && (options.ClientStallTimeout < TimeSpan.FromMilliseconds(1) || options.ClientStallTimeout > Longest))
            yield return Wrong(nameof(LinkOptions.ClientStallTimeout), options.ClientStallTimeout, "must be 1 ms to 49 days, or Timeout.InfiniteTimeSpan");
        if (options.SpillRetention > Longest)
            yield return Wrong(nameof(LinkOptions.SpillRetention), options.SpillRetention, "must be at most 49 days");
        if (options.MaxUpload < 1)
            yield return Wrong(nameof(LinkOptions.MaxUpload), options.MaxUpload, "must be at least 1");
        if (string.IsNullOrEmpty(options.TempDirectory))
            yield return "TempDirectory is empty: it must name a directory";
        if (options.SpillCapacity > 0 && string.IsNullOrEmpty(options.SpillDirectory))
            yield return "SpillDirectory is missing: SpillCapacity is set, so it must say where output is kept; or set SpillCapacity to 0";
        foreach (var mistake in options.Runners.SelectMany(static runner => Find($"Runners:{runner.Key}", runner.Value)))
            yield return mistake;
        foreach (var mistake in options.Profiles.SelectMany(static profile => Find($"Profiles:{profile.Key}", profile.Value)))
            yield return mistake;
    }

    private static IEnumerable<string> Find(string name, RunProfile profile)
    {
        if (profile.Memory < 1024 * 1024)
            yield return Wrong($"{name}:Memory", profile.Memory, "must be at least 1048576");
        if (profile.CpuTime is { } cpu && (cpu < TimeSpan.FromSeconds(1) || cpu > Longest))
            yield return Wrong($"{name}:CpuTime", cpu, "must be 1 s to 49 days");
        if (profile.Cpus is { } cpus && cpus is not (>= FewestCpus and <= MostCpus))
            yield return Wrong($"{name}:Cpus", cpus, "must be 0.01 to 100000");
        if (profile.Processes < 1)
            yield return Wrong($"{name}:Processes", profile.Processes, "must be at least 1");
        if (profile.OpenFiles < FewestOpenFiles)
            yield return Wrong($"{name}:OpenFiles", profile.OpenFiles, "must be at least 16");
        if (profile.WallTime is { } wall && (wall <= TimeSpan.Zero || wall > Longest))
            yield return Wrong($"{name}:WallTime", wall, "must be more than 0 and at most 49 days");
        if (profile is { Network: true, Sandbox: false })
            yield return $"{name}:Network must not stand alone: programs that do not run apart have the network anyway; set {name}:Sandbox to true, or leave it out";
    }

    private static IEnumerable<string> Find(string name, RunnerOptions? runner)
    {
        if (Split(runner?.Command, out var mistake) is false)
            yield return $"{name}:Command {mistake}";
        if (runner?.Extension is { Length: > 0 } extension && (!extension.StartsWith('.') || extension.Contains('/') || extension.Contains('\0')))
            yield return Wrong($"{name}:Extension", extension, "must begin with a dot, as in .js, and have no slash");
        foreach (var variable in runner?.Environment.Where(static one => one.Key.Length == 0 || one.Key.Contains('=') || one.Key.Contains('\0')) ?? [])
            yield return Wrong($"{name}:Environment", variable.Key, "must be a variable's name, which is not empty and has no \"=\"");
    }

    private static bool Split(string? command, out string mistake)
    {
        mistake = "is missing: it must be a command line, with {file} where the program's file goes";
        try
        {
            return command is not null && CommandRunner.Split(command).Count > 0;
        }
        catch (FormatException e)
        {
            mistake = $"cannot be used: {e.Message}";
            return false;
        }
    }

    private static bool IsEver(TimeSpan time) => time == Timeout.InfiniteTimeSpan;

    private static string Wrong(string name, object value, string what) => FormattableString.Invariant($"{name}: \"{value}\" {what}");
}
