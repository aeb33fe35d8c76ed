using FurtherLink.Messages;
using FurtherLink.Transports.WebSockets.Admission;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Transports.WebSockets;

/// <summary>What all endpoints have in common: the gate, exact paths, methods, CORS and its preflight (fetch.spec.whatwg.org).</summary>
/// <param name="pattern">The path; a parameter at its end is one segment.</param>
/// <param name="method">The one method.</param>
/// <param name="door">What is asked of those who want in.</param>
/// <param name="gate">Asks it.</param>
/// <param name="answer">Answers what remains.</param>
/// <param name="logger">Where faults are said.</param>
internal sealed partial class LinkEndpoint(
    string pattern, string method, Door door, HttpGate gate, RequestDelegate answer, ILogger logger)
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
        catch (LinkException e) when (!context.Response.HasStarted)
        {
            await HttpAnswers.RefuseAsync(context, Refusal.Of(e)).ConfigureAwait(false);
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

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        if (gate.CheckHost(request) is { } misdirected)
        {
            gate.Tell(context, misdirected);
            await HttpAnswers.RefuseAsync(context, misdirected).ConfigureAwait(false);
            return;
        }

        using var ticket = gate.TryEnter(context, out var crowd);
        if (ticket is null)
        {
            // What follows on the connection would only be refused, too.
            context.Response.Headers.Connection = "close";
            await HttpAnswers.RefuseAsync(context, crowd!).ConfigureAwait(false);
            return;
        }

        // Routing takes any case and a slash at the end; Further-Link does not.
        if (!IsExact(request.Path.Value ?? ""))
        {
            await HttpAnswers.ErrorAsync(context, StatusCodes.Status404NotFound).ConfigureAwait(false);
            return;
        }

        var page = gate.Origins.Judge(request, out var origin);
        var known = page is PageOrigin.Allowed or PageOrigin.Trusted && origin.Length > 0;
        if (HttpMethods.IsOptions(request.Method))
        {
            await PreflightAsync(context, known, origin).ConfigureAwait(false);
            return;
        }

        if (known)
            context.Response.OnStarting(AddCors, context);
        // Over HTTP/2 a WebSocket is opened by CONNECT (RFC 8441).
        var isMethod = string.Equals(request.Method, method, StringComparison.Ordinal)
            || (HttpMethods.IsConnect(request.Method) && context.WebSockets.IsWebSocketRequest);
        if (!isMethod)
        {
            context.Response.Headers.Allow = _allow;
            await HttpAnswers.ErrorAsync(context, StatusCodes.Status405MethodNotAllowed).ConfigureAwait(false);
            return;
        }

        if (HttpGate.CheckPage(door, page, origin) is { } foreign)
        {
            gate.Tell(context, foreign);
            await HttpAnswers.RefuseAsync(context, foreign).ConfigureAwait(false);
            return;
        }

        if (await gate.IdentifyAsync(context, ticket, door, page).ConfigureAwait(false) is { } refusal)
        {
            await HttpAnswers.RefuseAsync(context, refusal).ConfigureAwait(false);
            return;
        }

        using var end = gate.EndWithGrant(context);
        await answer(context).ConfigureAwait(false);
    }

    private bool IsExact(string path)
    {
        var parameter = pattern.IndexOf('{', StringComparison.Ordinal);
        return parameter < 0
            ? path.EndsWith(pattern, StringComparison.Ordinal)
            : path[..(path.LastIndexOf('/') + 1)].EndsWith(pattern[..parameter], StringComparison.Ordinal) && !path.EndsWith('/');
    }

    private Task PreflightAsync(HttpContext context, bool known, string origin)
    {
        var asked = context.Request.Headers.AccessControlRequestMethod.ToString();
        if (!known || asked != method)
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
