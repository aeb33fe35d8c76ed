using System.Net;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Serving;

/// <summary>Keeps a host from starting that others on the network could listen to, or that nobody there could use.</summary>
internal static class StartCheck
{
    /// <summary>What is said wherever everybody is let in.</summary>
    public const string Open =
        "Careful: LegacyOpen is on. Everybody who reaches this device, and every web page that is opened in a browser near it, can run programs here.";

    /// <summary>Checks it.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="hasCredentials">Whether there is anything that somebody could show.</param>
    /// <exception cref="SettingException">It may not start so; what to change.</exception>
    public static void Run(ServeOptions options, Func<bool> hasCredentials)
    {
        if (options.LegacyOpen || options.Addresses.All(IsHere))
            return;
        List<string> mistakes = [];
        if (options.NoTls)
        {
            mistakes.Add(
                "NoTls: beyond this device everybody on the way could read along and take over. Leave --no-tls out, or listen on loopback "
                    + "(--address loopback) behind a server that speaks TLS.");
        }

        if (!options.Pairing && !hasCredentials())
        {
            mistakes.Add(
                "Address: nobody beyond this device could connect, for there are no credentials. Make a token (furtherlink token add NAME), or say "
                    + "--client-ca or --passwords, or let clients be paired once it runs (--pairing, and then furtherlink pair).");
        }

        if (mistakes.Count > 0)
            throw new SettingException(mistakes);
    }

    private static bool IsHere(string address) => Checks.IsLoopback(address) || (IPAddress.TryParse(address, out var parsed) && IPAddress.IsLoopback(parsed));
}
