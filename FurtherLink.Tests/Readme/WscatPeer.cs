using System.Diagnostics;
using System.Text.RegularExpressions;

namespace FurtherLink.Tests.Readme;

/// <summary>The command line client wscat on a terminal, as a person uses it.</summary>
internal sealed partial class WscatPeer : IExchangePeer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private WscatPeer(Process process) => _process = process;

    /// <summary>Where the test packages have it.</summary>
    public static string Executable { get; } = Path.Combine(Example.Root, "FurtherLink.Tests", "Npm", "node_modules", ".bin", "wscat");

    /// <summary>Starts it and waits until it is connected.</summary>
    public static async Task<WscatPeer> StartAsync(string arguments)
    {
        // On a terminal it marks what it received with "< ", and only there; script(1) gives it one, wide enough that no line is folded.
        var start = new ProcessStartInfo("/usr/bin/script")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            ArgumentList = { "-qfec", $"stty cols 10000; exec {Executable} {arguments}", "/dev/null" },
        };
        var peer = new WscatPeer(Process.Start(start)!);
        if (await peer.ReadUntilAsync("Connected (press CTRL+C to quit)") is not null)
            return peer;
        await peer.DisposeAsync();
        throw new AssertionException($"wscat {arguments} did not connect.");
    }

    public async Task SendAsync(string message)
    {
        await _process.StandardInput.WriteAsync(message + "\r");
        await _process.StandardInput.FlushAsync();
    }

    public Task<string?> ReceiveAsync() => ReadUntilAsync("< ");

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<string?> ReadUntilAsync(string prefix)
    {
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            var plain = Escapes().Replace(line, "").TrimEnd('\r');
            var start = plain.LastIndexOf('\r') + 1;
            if (plain.AsSpan(start).StartsWith(prefix))
                return plain[(start + prefix.Length)..];
        }

        return null;
    }

    [GeneratedRegex(@"\x1b\[[0-9;?]*[A-Za-z]", RegexOptions.NonBacktracking)]
    private static partial Regex Escapes();
}
