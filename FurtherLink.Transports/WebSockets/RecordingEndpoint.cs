using FurtherLink.Recordings;
using FurtherLink.Security;
using FurtherLink.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Gives a session's recording, as a file to download or to follow.</summary>
internal sealed class RecordingEndpoint(SessionTable sessions)
{
    // What asciinema's own server says.
    private const string ContentType = "application/x-asciicast";

    /// <summary>Answers with the recording of the session that the path names by its id or name.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var name = context.GetRouteValue("session") as string ?? "";
        if (sessions.Find(name) is not { } session || !Grant.Of(context.User).Sees(session.Info))
        {
            await HttpAnswers.ErrorAsync(context, StatusCodes.Status404NotFound, $"there is no session \"{name}\"").ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = ContentType;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{session.Id}.cast\"";
        var recording = new RecordingOptions { Input = IsOn(context, "input"), Follow = IsOn(context, "follow") };
        await Recording.WriteAsync(session, context.Response.BodyWriter, recording, context.RequestAborted).ConfigureAwait(false);
    }

    private static bool IsOn(HttpContext context, string name) =>
        context.Request.Query[name].FirstOrDefault() is { } text && (text == "1" || text.Equals("true", StringComparison.OrdinalIgnoreCase));
}
