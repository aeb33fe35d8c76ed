using System.Diagnostics;
using FurtherLink.Tests.Host;

namespace FurtherLink.Tests.Readme;

/// <summary>
/// A block "console": lines "$ command", each followed by what it prints ("..." stands for anything, alone on a line for any lines). A command
/// that serves stays for the rest of its block; other blocks meet a server that all share. Under "$ npx wscat" the lines are an exchange.
/// </summary>
internal sealed class ConsoleExample(Example example, TemporaryFolder folder, int port)
{
    private const string DefaultPort = "8028";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    // They are what runs these tests, or what is tried by .ci/run: a test cannot run them once more.
    private static readonly string[] TriedElsewhere =
        ["bash extra/test.sh", "dotnet publish FurtherLink.Host ", "dotnet pack", "dotnet new ", "dotnet add ", "dotnet tool ", "git clone ", "cd "];

    // Not that of the server that serves the other examples: a state directory has one server.
    private readonly string _state = Path.Combine(folder.Path, "example", Guid.NewGuid().ToString("N")[..8]);
    private int _port = port;
    private string _shown = DefaultPort;

    public async Task RunAsync()
    {
        HostProcess? server = null;
        try
        {
            foreach (var (command, output) in CommandLines.Of(example))
            {
                var words = command.Replace("dotnet run --project FurtherLink.Host --", "furtherlink", StringComparison.Ordinal)
                    .Replace("dotnet run --project FurtherLink.Host", "furtherlink", StringComparison.Ordinal);
                if (TriedElsewhere.Any(start => command.StartsWith(start, StringComparison.Ordinal)))
                    continue;
                if (Serves(words))
                {
                    if (server is not null)
                        await server.DisposeAsync();
                    server = await ServeAsync(words, output);
                }
                else if (words.StartsWith("npx wscat ", StringComparison.Ordinal))
                {
                    await TypeAsync(words["npx wscat ".Length..], output);
                }
                else
                {
                    await ExpectAsync(words, output);
                }
            }
        }
        finally
        {
            if (server is not null)
                await server.DisposeAsync();
        }
    }

    private static bool Serves(string words)
    {
        if (words.AsSpan().ContainsAny("|&;<>"))
            return false;
        var command = words.Split(' ').SkipWhile(static word => word.Contains('=', StringComparison.Ordinal)).ToList();
        return command is ["furtherlink"] or ["furtherlink", "serve", ..] or ["furtherlink", ['-', ..], ..] && !command.Contains("--help") && !command.Contains("--version");
    }

    private async Task<HostProcess> ServeAsync(string words, List<string> output)
    {
        // The example's port is any free one here; "--port" given twice would be refused.
        var start = words.IndexOf(" --port ", StringComparison.Ordinal);
        var shown = start < 0 ? DefaultPort : words[(start + 8)..].Split(' ')[0];
        var command = start < 0 ? words : words.Remove(start, 8 + shown.Length);
        var variables = new Dictionary<string, string?> { ["XDG_STATE_HOME"] = _state };
        var server = HostProcess.Start(folder.Path, ["-c", $"exec env {command} --port 0".Replace(" furtherlink", " " + HostProcess.Executable, StringComparison.Ordinal)], variables, executable: "/bin/bash");
        await server.ReadUntilAsync("Ctrl-C");
        _port = server.Address.Port;
        _shown = shown;
        Assert.That(Wildcard.Matches(output.Select(line => line.Replace(shown, _port.ToString(), StringComparison.Ordinal)), server.Output.Split('\n')),
            $"{example}: $ {words}\nprinted\n{server.Output}");
        return server;
    }

    private async Task TypeAsync(string arguments, List<string> lines)
    {
        if (!File.Exists(WscatPeer.Executable))
            Assert.Ignore("wscat is not restored; extra/test.sh does it.");
        await using var peer = await WscatPeer.StartAsync(AtPort(arguments));
        await Exchange.PlayAsync(peer, lines.Where(line => line != "Connected (press CTRL+C to quit)"));
    }

    private async Task ExpectAsync(string words, List<string> expected)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/bash")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            WorkingDirectory = folder.Path,
            Environment = { ["XDG_STATE_HOME"] = _state },
            ArgumentList = { "-c", $"exec 2>&1; PATH=\"$PATH:{AppContext.BaseDirectory}\"; {AtPort(words)}" },
        })!;
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.That(process.ExitCode, Is.Zero, $"{example}: $ {words}\nprinted\n{output}");

        // An answer without a newline at its end looks like a line, too.
        var lines = output.Length == 0 ? [] : output.TrimEnd('\n').Split('\n');
        Assert.That(Wildcard.Matches(expected, lines), $"{example}: $ {words}\nprinted\n{output}");
    }

    private string AtPort(string text) => text.Replace(_shown, _port.ToString(), StringComparison.Ordinal);
}
