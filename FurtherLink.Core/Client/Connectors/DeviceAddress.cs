using FurtherLink.Framing;

namespace FurtherLink.Client.Connectors;

/// <summary>Reads a device's address, as people write it.</summary>
public static class DeviceAddress
{
    private const string Pin = "#sha256=";

    /// <summary>Reads an address.</summary>
    /// <param name="address">
    /// <c>ws://host:port/path</c> or <c>wss://...</c>, without a path /run, where <c>#sha256=FINGERPRINT</c> behind it pins the server's
    /// certificate; <c>unix:PATH</c>; <c>exec:COMMAND</c>, a shell command whose input and output carry messages ("exec:ssh pi furtherlink stdio").
    /// </param>
    /// <exception cref="FormatException">It is none of these; the message says what is wrong.</exception>
    public static ILinkConnector Parse(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.StartsWith("unix:", StringComparison.Ordinal) && address.Length > 5)
            return new UnixSocketConnector(address[5..]);
        if (address.StartsWith("exec:", StringComparison.Ordinal) && address.Length > 5)
            return new CommandConnector(address[5..]);
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("ws" or "wss") || uri.Host.Length == 0)
            throw new FormatException($"\"{address}\" is no address of a device: ws://HOST:PORT, wss://HOST:PORT, unix:PATH or exec:COMMAND");
        if (uri.Fragment.Length == 0)
            return new WebSocketConnector(uri);
        var fingerprint = uri.Fragment.StartsWith(Pin, StringComparison.Ordinal) ? uri.Fragment[Pin.Length..].Replace(":", "", StringComparison.Ordinal) : "";
        if (fingerprint.Length != 64 || !fingerprint.All(char.IsAsciiHexDigit))
            throw new FormatException($"\"{uri.Fragment}\" is no fingerprint: {Pin} and 64 hexadecimal digits");
        return new WebSocketConnector(new UriBuilder(uri) { Fragment = "" }.Uri, new WebSocketDialOptions { Fingerprint = fingerprint });
    }
}
