using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets;

/// <summary>The plain HTTP endpoints: status, versions, upload.</summary>
internal sealed class DeviceEndpoints(FileStore files, DebianPackages packages, IOptions<WebSocketLinkOptions> options)
{
    private static readonly string Version = $$"""{"version": "{{FurtherLinkVersion.Current}}"}""";

    /// <summary>Says that the server is there.</summary>
    public static Task StatusAsync(HttpContext context) => HttpAnswers.TextAsync(context, StatusCodes.Status200OK, "OK");

    /// <summary>Says the server's version.</summary>
    public static Task VersionAsync(HttpContext context) => HttpAnswers.TextAsync(context, StatusCodes.Status200OK, Version);

    /// <summary>Says which version of a Debian package is installed.</summary>
    public async Task AptVersionAsync(HttpContext context)
    {
        var name = context.GetRouteValue("pkg") as string;
        var version = await packages.FindVersionAsync(name ?? "", context.RequestAborted).ConfigureAwait(false);
        // A version has no character that JSON would escape: Debian Policy section 5.6.12.
        await HttpAnswers.TextAsync(context, StatusCodes.Status200OK, version is null ? """{"version": null}""" : $$"""{"version": "{{version}}"}""")
            .ConfigureAwait(false);
    }

    /// <summary>Takes an upload.</summary>
    public async Task UploadAsync(HttpContext context)
    {
        if (Rights.Of(Visitor.Of(context, options.Value)) < Access.Drive)
        {
            await HttpAnswers.ErrorAsync(context, StatusCodes.Status403Forbidden, "uploading is not allowed to this user").ConfigureAwait(false);
            return;
        }
        // The store bounds the body itself, at a size of its own.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
        var request = context.Request;
        var user = request.Query.TryGetValue("user", out var users) ? users[0] ?? "" : null;
        var outcome = await files.UploadAsync(request.BodyReader, request.ContentLength, user, context.RequestAborted).ConfigureAwait(false);
        await (outcome.Status switch
        {
            UploadStatus.Done => HttpAnswers.TextAsync(
                context, StatusCodes.Status200OK, $$"""{"success": true, "fetched_urls": {{(outcome.FetchedUrls ? "true" : "false")}}}"""),
            UploadStatus.Invalid => HttpAnswers.ErrorAsync(context, StatusCodes.Status400BadRequest, outcome.Reason),
            UploadStatus.TooLarge => HttpAnswers.ErrorAsync(context, StatusCodes.Status413PayloadTooLarge, outcome.Reason, outcome.Reason),
            _ => HttpAnswers.ErrorAsync(context, StatusCodes.Status500InternalServerError, outcome.Reason),
        }).ConfigureAwait(false);
    }
}
