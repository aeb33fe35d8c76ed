using System.Buffers;
using System.Text;
using FurtherLink.Client;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Host.Commands;

/// <summary>A bash on one of our own terminals, in which a test types "furtherlink ..." as a person does.</summary>
internal sealed class TerminalShell : IAsyncDisposable
{
    // Only a hang reaches it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly StringBuilder _output = new();
    private readonly FurtherLinkClient _client;
    private readonly ClientSession _session;
    private int _seen;

    private TerminalShell(FurtherLinkClient client, ClientSession session)
    {
        _client = client;
        _session = session;
    }

    /// <summary>Starts it.</summary>
    /// <param name="host">Where its terminal is.</param>
    /// <param name="folder">Its working directory.</param>
    /// <param name="variables">Of its commands.</param>
    public static async Task<TerminalShell> StartAsync(TestHost host, TemporaryFolder folder, IReadOnlyDictionary<string, string?> variables)
    {
        var client = await FurtherLinkClient.ConnectAsync(new InProcessConnector(host.Server));
        var session = await client.StartAsync(new RunRequest("program")
        {
            Arguments = ["/bin/bash", "--norc", "--noprofile"],
            Path = folder.Path,
            Terminal = new TerminalSize(30, 100),
            Environment = new Dictionary<string, string?>(variables) { ["PS1"] = "next> ", ["XDG_STATE_HOME"] = folder["state"], ["HISTFILE"] = null },
        });
        return new TerminalShell(client, session);
    }

    /// <summary>Types a text.</summary>
    public Task TypeAsync(string text) => _session.WriteAsync(text).AsTask();

    /// <summary>Waits until the last command has ended, and types the next: what is typed before goes to the program that still reads.</summary>
    public async Task CommandAsync(string command)
    {
        await SeeAsync("next> ");
        await TypeAsync(command + "\r");
        await SeeAsync("\r\n");
    }

    /// <summary>Resizes the window.</summary>
    public Task ResizeAsync(int rows, int columns) => _session.ResizeAsync(new TerminalSize(rows, columns));

    /// <summary>Waits until a text is shown, behind what was seen before.</summary>
    /// <returns>All that was shown up to its end.</returns>
    public async Task<string> SeeAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var shown = _output.ToString(_seen, _output.Length - _seen);
            if (shown.IndexOf(text, StringComparison.Ordinal) is >= 0 and var at)
            {
                _seen += at + text.Length;
                return shown[..(at + text.Length)];
            }

            try
            {
                var result = await _session.Output.ReadAsync(patience.Token);
                _output.Append(Encoding.Latin1.GetString(result.Buffer.ToArray()));
                _session.Output.AdvanceTo(result.Buffer.End);
                if (result is { IsCompleted: true, Buffer.IsEmpty: true })
                    throw new AssertionException($"The shell ended without \"{text}\": {_output}");
            }
            catch (OperationCanceledException e)
            {
                throw new AssertionException($"\"{text}\" was not shown, but: {_output}", e);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync();
        await _client.DisposeAsync();
    }
}
