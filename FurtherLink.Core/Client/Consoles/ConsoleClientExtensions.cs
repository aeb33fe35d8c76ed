using FurtherLink.Messages;

namespace FurtherLink.Client.Consoles;

/// <summary>Starts programs on consoles, and attaches consoles to sessions.</summary>
public static class ConsoleClientExtensions
{
    private const string Term = "TERM";

    /// <summary>Starts a program on a terminal and drives it.</summary>
    /// <param name="client">The client.</param>
    /// <param name="request">
    /// What to run. Its terminal is of <see cref="ConsoleOptions.Size"/> where it names none, and its TERM is "xterm-256color" where it sets none.
    /// </param>
    /// <param name="options">How the console behaves; null = the defaults.</param>
    /// <param name="cancellationToken">Gives up; the program may have been started.</param>
    /// <exception cref="LinkException">It cannot be started; the message says why.</exception>
    public static async Task<ConsoleSession> StartConsoleAsync(
        this FurtherLinkClient client, RunRequest request, ConsoleOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(request);
        options ??= new ConsoleOptions();
        request = request with { Terminal = request.Terminal ?? options.Size };
        if (!request.Environment.ContainsKey(Term))
            request = request with { Environment = new Dictionary<string, string?>(request.Environment, StringComparer.Ordinal) { [Term] = "xterm-256color" } };
        var session = await client.StartAsync(request, cancellationToken).ConfigureAwait(false);
        return new ConsoleSession(session, options, options.AnswersQueries, client.Options.Time);
    }

    /// <summary>Attaches to a session and drives its program.</summary>
    /// <param name="client">The client.</param>
    /// <param name="session">Its id or name.</param>
    /// <param name="request">
    /// From where, and how. Null = to drive, from now on: the screen is what it is, and text is what comes. With <see cref="AttachRequest.From"/> and
    /// no <see cref="AttachRequest.Screen"/> the output from there on is read again, which needs a terminal of the same size all the time.
    /// </param>
    /// <param name="options">How the console behaves; null = the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LinkException">There is none, or it may not; by default also where it has no terminal.</exception>
    public static async Task<ConsoleSession> AttachConsoleAsync(
        this FurtherLinkClient client, string session, AttachRequest? request = null, ConsoleOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        options ??= new ConsoleOptions();
        request ??= new AttachRequest { Screen = true };
        var attached = await client.AttachAsync(session, request, cancellationToken).ConfigureAwait(false);
        // What was asked before has been answered.
        var answers = options.AnswersQueries && request.Access >= Access.Drive && (request.Screen || request.From is null);
        return new ConsoleSession(attached, options, answers, client.Options.Time);
    }
}
