using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Sessions.Spills;

namespace FurtherLink.Sessions;

/// <summary>Runs sessions in another process, where they go on when this one ends. Thread safe.</summary>
internal interface ISessionKeeper : IAsyncDisposable
{
    /// <summary>Whether a session is to be run there.</summary>
    bool Keeps(RunRequest request);

    /// <summary>Makes a session whose program does not run yet.</summary>
    /// <param name="id">Its global id.</param>
    /// <param name="request">What it is to run.</param>
    /// <param name="user">The user it runs as.</param>
    /// <param name="spills">Where its output is on disk; null = nowhere.</param>
    /// <param name="gone">Called once when it is to be removed; must not wait.</param>
    IKeptSession Create(string id, RunRequest request, UserAccount user, SpillStore? spills, Action<IKeptSession> gone);

    /// <summary>Starts the program of a session made by <see cref="Create"/>.</summary>
    /// <exception cref="LinkException">It cannot be started; the session never was.</exception>
    Task StartAsync(IKeptSession session, RunRequest request, CancellationToken cancellationToken);

    /// <summary>The sessions that are there from an earlier run.</summary>
    /// <param name="spills">Where their output is on disk; null = nowhere.</param>
    /// <param name="gone">Called once for each when it is to be removed; must not wait.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyList<IKeptSession>> RecoverAsync(SpillStore? spills, Action<IKeptSession> gone, CancellationToken cancellationToken);

    /// <summary>What does not work there, in words; null where all does. Nothing is started for it.</summary>
    ValueTask<string?> FindTroubleAsync(CancellationToken cancellationToken);
}
