using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FurtherLink.Transports.WebSockets.Admission;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Answers in the form that Further-Link's clients know: plain text, errors as "404: Not Found".</summary>
internal static class HttpAnswers
{
    private const string ProblemType = "application/problem+json";
    private const string Bearer = "Bearer realm=\"furtherlink\"";
    private const string Basic = "Basic realm=\"furtherlink\", charset=\"UTF-8\"";

    /// <summary>Lets pages of public sites reach a device on a private network; stands on every answer.</summary>
    public static void AllowPrivateNetwork(HttpResponse response) => response.Headers["Access-Control-Allow-Private-Network"] = "true";

    /// <summary>Answers with a text.</summary>
    public static Task TextAsync(HttpContext context, int status, string text) =>
        WriteAsync(context, status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));

    /// <summary>Answers with an error; a client that accepts problem details (RFC 9457) also gets the reason.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The status code.</param>
    /// <param name="reason">What was wrong, in words; null = not told.</param>
    /// <param name="text">The plain text; null = the status with its name.</param>
    public static Task ErrorAsync(HttpContext context, int status, string? reason = null, string? text = null)
    {
        var title = ReasonPhrases.GetReasonPhrase(status);
        var accepted = context.Request.Headers.Accept.ToString();
        return reason is not null && accepted.Contains(ProblemType, StringComparison.OrdinalIgnoreCase)
            ? WriteAsync(context, status, ProblemType, Problem(status, title, reason))
            : TextAsync(context, status, text ?? $"{status}: {title}");
    }

    /// <summary>Answers that a request is not let through, and why.</summary>
    public static Task RefuseAsync(HttpContext context, Refusal refusal)
    {
        var headers = context.Response.Headers;
        if (refusal.Status is StatusCodes.Status401Unauthorized)
            headers.WWWAuthenticate = AsksPerson(context.Request) ? new[] { Bearer, Basic } : Bearer;
        if (refusal.RetryAfter is { } wait)
            headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return ErrorAsync(context, refusal.Status, refusal.Reason, $"{refusal.Status}: {ReasonPhrases.GetReasonPhrase(refusal.Status)}: {refusal.Reason}");
    }

    /// <summary>Answers with an object of JSON, which is nobody else's to keep.</summary>
    /// <param name="context">The request.</param>
    /// <param name="write">Writes what it holds.</param>
    public static Task JsonAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.Headers.CacheControl = "no-store";
        return WriteAsync(context, StatusCodes.Status200OK, "application/json; charset=utf-8", Object(write));
    }

    // A browser asks its person for a password only where the person has asked for the page: not for what a page fetches in between.
    private static bool AsksPerson(HttpRequest request) => request.Headers["Sec-Fetch-Mode"].ToString() is "" or "navigate";

    private static Task WriteAsync(HttpContext context, int status, string type, ReadOnlyMemory<byte> body)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = type;
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static ReadOnlyMemory<byte> Problem(int status, string title, string reason) => Object(writer =>
    {
        writer.WriteString("title", title);
        writer.WriteNumber("status", status);
        writer.WriteString("detail", reason);
    });

    private static ReadOnlyMemory<byte> Object(Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(body);
        writer.WriteStartObject();
        write(writer);
        writer.WriteEndObject();
        writer.Flush();
        return body.WrittenMemory;
    }
}
