using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Finds, before anything is started, what is wrong with <see cref="WebSocketLinkOptions"/> that the properties cannot tell.</summary>
internal sealed class WebSocketLinkOptionsValidation : IValidateOptions<WebSocketLinkOptions>
{
    // The longest that a timer can be set to: 2^32 - 2 ms.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, WebSocketLinkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var mistakes = Find(options).ToList();
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static IEnumerable<string> Find(WebSocketLinkOptions options)
    {
        foreach (var (setting, origins) in new[] { ("AllowedOrigins", options.AllowedOrigins), ("TrustedOrigins", options.TrustedOrigins) })
        {
            foreach (var origin in origins.Where(static origin => !IsOrigin(origin)))
                yield return $"{setting}: \"{origin}\" must be an origin as browsers send it: http or https, host, perhaps a port, and nothing behind (https://example.org)";
        }

        foreach (var host in options.AllowedHosts.Where(static host => !IsHost(host)))
            yield return $"AllowedHosts: \"{host}\" must be a host name, without a port";
        if (options.LoginLifetime > Longest)
            yield return $"LoginLifetime: \"{options.LoginLifetime}\" must be at most 49 days";
        if (options.KeepAliveInterval > Longest)
            yield return $"KeepAliveInterval: \"{options.KeepAliveInterval}\" must be at most 49 days";
        if (options.KeepAliveTimeout > Longest)
            yield return $"KeepAliveTimeout: \"{options.KeepAliveTimeout}\" must be at most 49 days";
    }

    // What HostPolicy can ever find equal to what a client asks for.
    private static bool IsHost(string? text) => Uri.CheckHostName(text?.Trim()) is UriHostNameType.Dns;

    // What OriginPolicy can ever find equal to what a browser sends.
    private static bool IsOrigin(string? text) =>
        Uri.TryCreate(text?.Trim(), UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
            && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0 && !uri.Host.Contains('*');
}
