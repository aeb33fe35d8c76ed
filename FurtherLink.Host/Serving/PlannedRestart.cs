using System.Runtime.InteropServices;
using FurtherLink.Processes;
using FurtherLink.Sessions;

namespace FurtherLink.Host.Serving;

/// <summary>Waits for the signal that asks for a restart: the host stops, leaves held programs as they are, and is started anew in its place.</summary>
internal sealed class PlannedRestart : IDisposable
{
    private readonly PosixSignalRegistration _registration;
    private volatile bool _isAsked;

    /// <summary>Begins to wait.</summary>
    /// <param name="services">The host's services.</param>
    public PlannedRestart(IServiceProvider services)
    {
        // Taken now: the signal may come when the host has gone.
        var sessions = services.GetRequiredService<SessionTable>();
        var lifetime = services.GetRequiredService<IHostApplicationLifetime>();
        _registration = PosixSignalRegistration.Create((PosixSignal)Restart.Signal, signal =>
        {
            signal.Cancel = true;
            _isAsked = true;
            sessions.LeavesHeld = true;
            lifetime.StopApplication();
        });
    }

    /// <summary>Starts this program anew where that was asked for; to be called when the host has ended. Does not return then.</summary>
    /// <param name="running">The place of this server, which the next one takes.</param>
    public void ReplaceIfAsked(RunningServer? running)
    {
        if (!_isAsked)
            return;
        running?.Dispose();
        OwnProgram.Replace([.. Environment.GetCommandLineArgs().Skip(1)]);
    }

    /// <inheritdoc/>
    public void Dispose() => _registration.Dispose();
}
