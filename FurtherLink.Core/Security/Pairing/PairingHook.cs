using FurtherLink.Processes.Children;
using FurtherLink.Processes.Native;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FurtherLink.Security.Pairing;

/// <summary>
/// Shows codes by a command of the settings: it is run with FURTHERLINK_PAIRING=open and the code in FURTHERLINK_PAIRING_CODE, and with
/// FURTHERLINK_PAIRING=closed when the code counts no more. Does nothing where there is none. Thread safe.
/// </summary>
/// <param name="options">Its <see cref="AccessOptions.PairingHook"/>.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it is told that the command fails; null = nowhere.</param>
internal sealed partial class PairingHook(IOptions<AccessOptions> options, TimeProvider time, ILogger<PairingHook>? logger = null) : IPairingDisplay, IAsyncDisposable
{
    // A display takes moments; what shows the code for long does so in the background.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger = logger ?? NullLogger<PairingHook>.Instance;
    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;

    /// <inheritdoc/>
    public void Show(PairingWindow window)
    {
        if (options.Value.PairingHook is not { Length: > 0 } command || !OperatingSystem.IsLinux())
            return;
        lock (_lock)
            _last = RunAsync(_last, command, window);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Task last;
        lock (_lock)
            last = _last;
        await last.ConfigureAwait(false);
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private async Task RunAsync(Task before, string command, PairingWindow window)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await before.ConfigureAwait(false);
        await RunAsync(command, ["FURTHERLINK_PAIRING=open", "FURTHERLINK_PAIRING_CODE=" + window.Code]).ConfigureAwait(false);
        await window.Outcome.ConfigureAwait(false);
        await RunAsync(command, ["FURTHERLINK_PAIRING=closed"]).ConfigureAwait(false);
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private async Task RunAsync(string command, string[] variables)
    {
        try
        {
            // What it prints is for nobody: its output is the socket that a companion talks over.
            var companion = Companion.Start("exec </dev/null >/dev/null\n" + command, variables);
            if (await companion.ExplainAsync(Patience, time).ConfigureAwait(false) is not { } end)
                Log.Slow(_logger, (int)Patience.TotalSeconds);
            else if (end != Companion.Succeeded)
                Log.Failed(_logger, end);
            await companion.EndAsync(TimeSpan.FromSeconds(1), time).ConfigureAwait(false);
        }
        catch (LibcException e)
        {
            Log.Failed(_logger, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The command of PairingHook has failed: {Why}")]
        public static partial void Failed(ILogger logger, string why);

        [LoggerMessage(LogLevel.Warning, "The command of PairingHook is ended: it takes longer than {Seconds} s")]
        public static partial void Slow(ILogger logger, int seconds);
    }
}
