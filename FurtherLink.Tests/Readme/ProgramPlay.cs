using System.Diagnostics;
using System.Text.RegularExpressions;

namespace FurtherLink.Tests.Readme;

/// <summary>Does with a program what its document shows, and compares. It serves at any free port instead of the one that is shown.</summary>
/// <param name="program">What is shown.</param>
/// <param name="folder">The working directory, and the place of its state.</param>
/// <param name="command">What "dotnet run" is here.</param>
internal sealed partial class ProgramPlay(ProgramExample program, string folder, IReadOnlyList<string> command) : IAsyncDisposable
{
    private const string Run = "dotnet run";
    private const string ServesAt = " --urls ";

    // Only a hang reaches it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private Process? _server;
    private Task? _rest;
    private Uri _shown = new("http://127.0.0.1:5000");
    private Uri? _address;

    /// <summary>Does all of it.</summary>
    public async Task PlayAsync()
    {
        Assert.That(program.Shown, Is.Not.Empty, $"{program}: what it does must be shown");
        foreach (var example in program.Shown)
        {
            if (example.Kind == "exchange")
            {
                Assert.That(_address, Is.Not.Null, $"{example}: a server must run, by \"$ dotnet run --urls ...\"");
                await using var peer = await SocketPeer.ConnectAsync(new UriBuilder(new Uri(_address!, example.Argument)) { Scheme = "ws" }.Uri);
                await Exchange.PlayAsync(peer, example.Lines);
                continue;
            }

            foreach (var (words, output) in CommandLines.Of(example))
            {
                if (words.StartsWith(Run + ServesAt, StringComparison.Ordinal))
                    await ServeAsync(example, words, output);
                else
                    await ExpectAsync(example, words, output);
            }
        }
    }

    /// <summary>Ends it where it serves.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_server is null)
            return;
        _server.Kill(entireProcessTree: true);
        await _server.WaitForExitAsync();
        if (_rest is not null)
            await _rest;
        _server.Dispose();
    }

    private async Task ServeAsync(Example example, string words, List<string> output)
    {
        Assert.That((_server, string.Join('\n', output)), Is.EqualTo(((Process?)null, "...")), $"{example}: one server, which prints \"...\"");
        _shown = new Uri(words[(Run + ServesAt).Length..]);
        _server = Process.Start(Start([.. command, "--urls", new UriBuilder(_shown) { Port = 0 }.Uri.GetLeftPart(UriPartial.Authority)]))!;
        var printed = "";
        while (_address is null && await _server.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            printed += line + "\n";
            if (Listening().Match(line) is { Success: true } match)
                _address = new Uri(match.Groups["address"].Value);
        }

        Assert.That(_address, Is.Not.Null, $"{example}: $ {words}\nprinted\n{printed}");
        _rest = _server.StandardOutput.ReadToEndAsync();
    }

    private async Task ExpectAsync(Example example, string words, List<string> expected)
    {
        var start = words == Run ? Start(command) : Start(["/bin/bash", "-c", InShell(words)]);
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await process.WaitForExitAsync().WaitAsync(Patience);
        // As it shows: a program on a terminal ends lines with "\r\n".
        var lines = output.Length == 0 ? [] : output.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
        Assert.That((process.ExitCode, Wildcard.Matches(expected, lines)), Is.EqualTo((0, true)), $"{example}: $ {words}\nended with {process.ExitCode} and printed\n{output}");
    }

    // A program must not take what is typed to the tests, nor change their terminal.
    private string InShell(string words) => "exec </dev/null; " + Runs().Replace(
        words.Replace(_shown.Authority, _address?.Authority, StringComparison.Ordinal),
        string.Join(' ', command.Select(word => $"'{word}'")));

    private ProcessStartInfo Start(IReadOnlyList<string> words) => new(words[0], words.Skip(1))
    {
        UseShellExecute = false,
        RedirectStandardOutput = true,
        WorkingDirectory = folder,
        Environment =
        {
            ["XDG_STATE_HOME"] = Path.Combine(folder, "state"),
            // Debian's Python, as for the other examples, and the executable beside the tests.
            ["PATH"] = $"/usr/bin:{Environment.GetEnvironmentVariable("PATH")}:{AppContext.BaseDirectory}",
        },
    };

    [GeneratedRegex(@"(?<=^|\| )dotnet run\b")]
    private static partial Regex Runs();

    [GeneratedRegex(@"Now listening on: (?<address>http://\S+)", RegexOptions.NonBacktracking)]
    private static partial Regex Listening();
}
