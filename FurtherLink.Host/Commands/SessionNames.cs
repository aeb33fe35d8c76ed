using System.CommandLine;
using FurtherLink.Client;
using FurtherLink.Host.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Commands;

/// <summary>Sessions as a command line names them: by id or by name.</summary>
internal static class SessionNames
{
    /// <summary>An argument for them.</summary>
    public static Argument<string> Argument(string name, ArgumentArity arity) => new(name) { Description = "The session's id or name.", Arity = arity };

    /// <summary>Finds a session.</summary>
    /// <exception cref="ConsoleException">There is none.</exception>
    public static async Task<SessionInfo> FindAsync(FurtherLinkClient client, string idOrName, CancellationToken cancellationToken)
    {
        var sessions = await client.ListAsync(cancellationToken);
        return sessions.FirstOrDefault(session => session.Id == idOrName) ?? sessions.FirstOrDefault(session => session.Name == idOrName)
            ?? throw new ConsoleException(ExitCodes.Refused, $"there is no session \"{idOrName}\" on this device; \"furtherlink list\" shows those there are.");
    }
}
