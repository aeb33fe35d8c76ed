using System.Diagnostics;

namespace FurtherLink.Tests.Portacode.Gateways;

/// <summary>The program openssl: another's reading of keys and signatures.</summary>
internal static class Openssl
{
    /// <summary>Runs it, and gives what it printed.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, $"openssl {string.Join(' ', arguments)}: {await errors}");
        return output;
    }
}
