using FurtherLink.Messages;

namespace FurtherLink.Sessions;

/// <summary>A session as the table keeps it: with what becomes of it when nobody is attached.</summary>
internal interface IKeptSession : ISession
{
    /// <summary>What is known of it, as it is kept: without what <see cref="ISession.Info"/> counts anew each time.</summary>
    SessionInfo Known { get; }

    /// <summary>Whether its program has ended and nobody is attached.</summary>
    bool IsLeft => Known.Exit is not null && Members.Count == 0;

    /// <summary>What becomes of it when nobody is attached, as it was started.</summary>
    SessionOptions Options { get; }

    /// <summary>Who is attached, and what becomes of the session when nobody is.</summary>
    SessionHold Hold { get; }

    /// <summary>Why its output is not kept on disk though it should be, in words; null where it is, or need not be.</summary>
    string? SpillTrouble { get; }

    /// <summary>Ends the program where it still runs, since the server ends: its exit says so.</summary>
    ValueTask ShutDownAsync();

    /// <summary>Ends the program where it still runs, and lets go of everything.</summary>
    Task RemoveAsync();
}
