using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host.Commands;

/// <summary>A bash on one of our own terminals, in which a test types "furtherlink ..." as a person does.</summary>
internal sealed class TerminalShell : IAsyncDisposable
{
    // Only a hang reaches it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FurtherLinkClient _client;
    private readonly ConsoleSession _console;

    private TerminalShell(FurtherLinkClient client, ConsoleSession console)
    {
        _client = client;
        _console = console;
    }

    /// <summary>Starts it.</summary>
    /// <param name="host">Where its terminal is.</param>
    /// <param name="folder">Its working directory.</param>
    /// <param name="variables">Of its commands.</param>
    public static async Task<TerminalShell> StartAsync(TestHost host, TemporaryFolder folder, IReadOnlyDictionary<string, string?> variables)
    {
        var client = await FurtherLinkClient.ConnectAsync(new InProcessConnector(host.Server));
        var request = new RunRequest("program")
        {
            Arguments = ["/bin/bash", "--norc", "--noprofile"],
            Path = folder.Path,
            Terminal = new TerminalSize(30, 100),
            Environment = new Dictionary<string, string?>(variables) { ["PS1"] = "next> ", ["XDG_STATE_HOME"] = folder["state"], ["HISTFILE"] = null },
        };
        // What commands print to a terminal is looked at to the byte.
        return new TerminalShell(client, await client.StartConsoleAsync(request, new ConsoleOptions { Raw = true, Timeout = Patience }));
    }

    /// <summary>Types a text.</summary>
    public Task TypeAsync(string text) => _console.SendAsync(text);

    /// <summary>Waits until the last command has ended, and types the next: what is typed before goes to the program that still reads.</summary>
    public async Task CommandAsync(string command)
    {
        await SeeAsync("next> ");
        await TypeAsync(command + "\r");
        await SeeAsync("\r\n");
    }

    /// <summary>Resizes the window.</summary>
    public Task ResizeAsync(int rows, int columns) => _console.ResizeAsync(new TerminalSize(rows, columns));

    /// <summary>Waits until a text is shown, behind what was seen before.</summary>
    /// <returns>All that was shown up to its end.</returns>
    public async Task<string> SeeAsync(string text)
    {
        var match = await _console.ExpectAsync(text);
        return match.Before + match.Text;
    }

    public async ValueTask DisposeAsync()
    {
        await _console.DisposeAsync();
        await _client.DisposeAsync();
    }
}
