using System.Net.Http.Headers;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Security;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>Reads what a request shows of who sent it: where credentials may stand, and where they may not.</summary>
internal static class RequestCredentials
{
    /// <summary>The subprotocol that the server answers a client with that offers it.</summary>
    public const string Protocol = "furtherlink";

    // Browsers let a page set no header of a WebSocket's handshake but the names of subprotocols.
    private const string TokenProtocol = "furtherlink.token.";

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether an address holds a token, which logs and histories would keep.</summary>
    public static bool AreInQuery(HttpRequest request) => request.Query.ContainsKey("token") || request.Query.ContainsKey("access_token");

    /// <summary>What a request shows; null = nothing.</summary>
    /// <exception cref="LinkException">It is not in a form that is known, or shown beside others.</exception>
    public static Credentials? Read(HttpRequest request)
    {
        var headers = request.Headers.Authorization;
        var tokens = TokensOf(request).ToList();
        // Which of two counts would be a guess, and who has sent the other would not know.
        if (headers.Count + tokens.Count > 1)
            throw new LinkException(FailureCode.BadMessage, "a request shows one Authorization, or one subprotocol with a token, and not more");
        if (headers.Count > 0)
            return ReadHeader(headers.ToString());
        return tokens.Count > 0 ? new TokenCredentials(tokens[0][TokenProtocol.Length..]) : null;
    }

    /// <summary>Whether a request shows anything of its own, a cookie of a login included: it counts before what its connection shows.</summary>
    public static bool AreShown(HttpRequest request) =>
        request.Headers.Authorization.Count > 0 || TokensOf(request).Any() || request.Cookies.ContainsKey(LoginEndpoints.Cookie);

    /// <summary>Whether a client offers to speak by the name that the server knows.</summary>
    public static bool OffersProtocol(HttpRequest request) => request.Headers.SecWebSocketProtocol.SelectMany(Offered).Contains(Protocol, StringComparer.Ordinal);

    private static IEnumerable<string> TokensOf(HttpRequest request) =>
        request.Headers.SecWebSocketProtocol.SelectMany(Offered).Where(static name => name.StartsWith(TokenProtocol, StringComparison.Ordinal));

    private static string[] Offered(string? names) => (names ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static Credentials ReadHeader(string text)
    {
        if (!AuthenticationHeaderValue.TryParse(text, out var header) || header.Parameter is not { Length: > 0 } parameter)
            throw Unknown("Authorization is not in the form \"Bearer TOKEN\" or \"Basic NAME-AND-PASSWORD\"");
        if (header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
            return new TokenCredentials(parameter);
        if (!header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
            throw Unknown("Authorization must be Bearer or Basic");
        return ReadBasic(parameter) ?? throw Unknown("Authorization: Basic does not hold NAME:PASSWORD in UTF-8 and Base64 (RFC 7617)");
    }

    private static PasswordCredentials? ReadBasic(string parameter)
    {
        try
        {
            var text = Utf8.GetString(Convert.FromBase64String(parameter));
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            return colon < 0 ? null : new PasswordCredentials(text[..colon], text[(colon + 1)..]);
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            return null;
        }
    }

    private static LinkException Unknown(string words) => new(FailureCode.Unauthenticated, words);
}
