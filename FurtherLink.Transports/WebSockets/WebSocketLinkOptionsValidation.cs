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
        foreach (var origin in options.TrustedOrigins.Where(static origin => !IsOrigin(origin)))
            yield return $"TrustedOrigins: \"{origin}\" must be an origin as browsers send it: http or https, host, perhaps a port, and nothing behind (https://example.org)";
        if (options.KeepAliveInterval > Longest)
            yield return $"KeepAliveInterval: \"{options.KeepAliveInterval}\" must be at most 49 days";
        if (options.KeepAliveTimeout > Longest)
            yield return $"KeepAliveTimeout: \"{options.KeepAliveTimeout}\" must be at most 49 days";
        if (!Enum.IsDefined(options.DefaultAccess))
            yield return $"DefaultAccess: \"{options.DefaultAccess}\" must be one of {string.Join(", ", Enum.GetNames<Messages.Access>())}";
    }

    // What OriginPolicy can ever find equal to what a browser sends.
    private static bool IsOrigin(string? text) =>
        Uri.TryCreate(text?.Trim(), UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
            && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0 && !uri.Host.Contains('*');
}
