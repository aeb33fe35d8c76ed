using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes.Native;

namespace FurtherLink.Client.Consoles;

/// <summary>
/// The terminal that this process was started on: its size, and its raw mode, in which every byte that is typed goes to whoever reads, Ctrl-C too.
/// Disposing it gives it back as it was. Thread safe.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class LocalTerminal : IDisposable
{
    private const int Input = 0;
    private const int Output = 1;

    private readonly Lock _lock = new();
    private readonly byte[] _settings = new byte[Libc.TerminalSettingsSize];
    private readonly List<PosixSignalRegistration> _signals = [];
    private bool _isRaw;

    /// <summary>Finds it; it need not be there.</summary>
    public LocalTerminal()
    {
        IsInput = Libc.IsTerminal(Input);
        IsOutput = Libc.IsTerminal(Output);
    }

    /// <summary>Whether standard input is a terminal.</summary>
    public bool IsInput { get; }

    /// <summary>Whether standard output is a terminal.</summary>
    public bool IsOutput { get; }

    /// <summary>Whether standard error is a terminal.</summary>
    public static bool IsError => Libc.IsTerminal(2);

    /// <summary>Its size now: that of standard output, else of standard input, else 24 rows of 80 columns.</summary>
    [SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "It is this terminal's size.")]
    public TerminalSize Size => Libc.WindowSizeOf(Output) ?? Libc.WindowSizeOf(Input) ?? new TerminalSize(24, 80);

    /// <summary>
    /// Switches to raw mode, until it is disposed or the process ends, by whatever but SIGKILL. Nothing happens where standard input is no terminal.
    /// </summary>
    public void EnterRaw()
    {
        lock (_lock)
        {
            if (_isRaw || !IsInput || !Libc.TryGetTerminalSettings(Input, _settings))
                return;
            _isRaw = true;
            AppDomain.CurrentDomain.ProcessExit += Restore;
            AppDomain.CurrentDomain.UnhandledException += Restore;
            ApplyRaw();

            // After a stop the shell has put its own settings back.
            _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => Continue()));
        }
    }

    /// <summary>Calls an action, on a thread of its own, each time the size may have changed, until this is disposed.</summary>
    public void WatchSize(Action changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        lock (_lock)
        {
            _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => changed()));
            // While this process was stopped, others were told of it.
            _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => changed()));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        List<PosixSignalRegistration> signals;
        lock (_lock)
        {
            signals = [.. _signals];
            _signals.Clear();
            Restore();
        }

        // Not under the lock: it waits for handlers that run.
        foreach (var signal in signals)
            signal.Dispose();
    }

    private void Restore(object? sender, EventArgs e)
    {
        lock (_lock)
            Restore();
    }

    private void Restore()
    {
        if (!_isRaw)
            return;
        _isRaw = false;
        Libc.TrySetTerminalSettings(Input, _settings);
        AppDomain.CurrentDomain.ProcessExit -= Restore;
        AppDomain.CurrentDomain.UnhandledException -= Restore;
    }

    private void Continue()
    {
        lock (_lock)
        {
            if (_isRaw)
                ApplyRaw();
        }
    }

    private void ApplyRaw()
    {
        Span<byte> raw = stackalloc byte[Libc.TerminalSettingsSize];
        _settings.CopyTo(raw);
        Libc.MakeRaw(raw);
        Libc.TrySetTerminalSettings(Input, raw);
    }
}
