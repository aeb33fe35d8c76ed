using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Transports.WebSockets;

/// <summary>What all endpoints have in common: exact paths, methods, origins, CORS and its preflight (fetch.spec.whatwg.org).</summary>
/// <param name="pattern">The path; a parameter at its end is one segment.</param>
/// <param name="method">The one method.</param>
/// <param name="guarded">Whether pages of foreign origins are refused; otherwise they get an answer that they cannot read.</param>
/// <param name="origins">Which origins are not foreign.</param>
/// <param name="answer">Answers what remains.</param>
/// <param name="logger">Where faults are said.</param>
internal sealed partial class LinkEndpoint(
    string pattern, string method, bool guarded, OriginPolicy origins, RequestDelegate answer, ILogger logger)
{
    private readonly string _allow = string.Join(',', new[] { method, HttpMethods.Options }.Order(StringComparer.Ordinal));

    /// <summary>Answers a request that routing found for the pattern.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        HttpAnswers.AllowPrivateNetwork(context.Response);
        try
        {
            await AnswerAsync(context).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there any more to answer.
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await HttpAnswers.ErrorAsync(context, e.StatusCode, e.Message).ConfigureAwait(false);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            Log.Failed(logger, e, pattern);
            await HttpAnswers.ErrorAsync(context, StatusCodes.Status500InternalServerError).ConfigureAwait(false);
        }
    }

    private Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        // Routing takes any case and a slash at the end; Further-Link does not.
        if (!IsExact(request.Path.Value ?? ""))
            return HttpAnswers.ErrorAsync(context, StatusCodes.Status404NotFound);
        var allowed = origins.Allows(request, out var origin);
        if (HttpMethods.IsOptions(request.Method))
            return PreflightAsync(context, allowed, origin);
        if (allowed && origin.Length > 0)
            context.Response.OnStarting(AddCors, context);
        // Over HTTP/2 a WebSocket is opened by CONNECT (RFC 8441).
        var isMethod = string.Equals(request.Method, method, StringComparison.Ordinal)
            || (HttpMethods.IsConnect(request.Method) && context.WebSockets.IsWebSocketRequest);
        if (!isMethod)
        {
            context.Response.Headers.Allow = _allow;
            return HttpAnswers.ErrorAsync(context, StatusCodes.Status405MethodNotAllowed);
        }
        return guarded && !allowed
            ? HttpAnswers.ErrorAsync(context, StatusCodes.Status403Forbidden, $"pages of {origin} may not use this server; the setting TrustedOrigins lists those that may")
            : answer(context);
    }

    private bool IsExact(string path)
    {
        var parameter = pattern.IndexOf('{', StringComparison.Ordinal);
        return parameter < 0
            ? path.EndsWith(pattern, StringComparison.Ordinal)
            : path[..(path.LastIndexOf('/') + 1)].EndsWith(pattern[..parameter], StringComparison.Ordinal) && !path.EndsWith('/');
    }

    private Task PreflightAsync(HttpContext context, bool allowed, string origin)
    {
        var asked = context.Request.Headers.AccessControlRequestMethod.ToString();
        if (origin.Length == 0 || !allowed || asked != method)
            return HttpAnswers.ErrorAsync(context, StatusCodes.Status403Forbidden, "a preflight needs an allowed Origin and Access-Control-Request-Method");
        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlAllowCredentials = "true";
        headers.AccessControlAllowMethods = asked;
        var names = context.Request.Headers.AccessControlRequestHeaders.ToString()
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (names.Length > 0)
            headers.AccessControlAllowHeaders = string.Join(',', names.Select(name => name.ToUpperInvariant()));
        headers.Vary = "Origin";
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    private static Task AddCors(object state)
    {
        var context = (HttpContext)state;
        var headers = context.Response.Headers;
        headers.AccessControlExposeHeaders = string.Join(',', headers.Select(header => header.Key));
        headers.AccessControlAllowOrigin = context.Request.Headers.Origin;
        headers.AccessControlAllowCredentials = "true";
        headers.Vary = "Origin";
        return Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "A request to {Pattern} failed through a fault of this server")]
        public static partial void Failed(ILogger logger, Exception exception, string pattern);
    }
}
