using System.Security.Cryptography;
using System.Text;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Serving;

/// <summary>Where the device behind a gateway keeps what is its own: its key, and a folder for each key and gateway, below the state directory.</summary>
internal static class DeviceDirectory
{
    /// <summary>The folder with the key.</summary>
    /// <exception cref="SettingException">There is no home to put it in.</exception>
    public static string Keys(ServeOptions options) => options.KeyDirectory is { } folder
        ? Path.GetFullPath(folder)
        : Path.Combine(StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable), "keys");

    /// <summary>The folder that nobody else has who has another key or another gateway: two devices and a server run beside each other.</summary>
    /// <exception cref="SettingException">It is not said which gateway; or there is no home to put it in.</exception>
    public static string Locate(ServeOptions options)
    {
        if (options.Gateway is not { } gateway)
            throw new SettingException("Portacode:GatewayUrl: is missing; say which gateway with --gateway, or in the variable PORTACODE_GATEWAY.");
        var who = SHA256.HashData(Encoding.UTF8.GetBytes($"{Keys(options)}\n{gateway.AbsoluteUri}"));
        return Path.Combine(Parent(options), Convert.ToHexStringLower(who)[..16]);
    }

    /// <summary>A gateway's address as it may be printed: without what may stand in front of the host or behind the path, a password or a token.</summary>
    public static string Printable(Uri gateway) => gateway.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <summary>Makes the folders above it, so that each is closed to others.</summary>
    /// <exception cref="SettingException">One cannot be made or closed.</exception>
    public static void PrepareParents(ServeOptions options)
    {
        StateDirectory.Prepare(StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable));
        StateDirectory.Prepare(Parent(options));
    }

    private static string Parent(ServeOptions options) =>
        Path.Combine(StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable), "gateways");
}
