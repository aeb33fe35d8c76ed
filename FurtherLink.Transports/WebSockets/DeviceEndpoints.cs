using FurtherLink.Device;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;
using FurtherLink.Transports.WebSockets.Admission;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.WebSockets;

/// <summary>The plain HTTP endpoints: status, versions, upload.</summary>
internal sealed class DeviceEndpoints(FileStore files, DebianPackages packages, AuditLog audit, IOptions<WebSocketLinkOptions> options)
{
    private const string Open = "LegacyOpen is on: everybody who reaches this device, and every web page, can run programs here";

    private static readonly string Version = $$"""{"version": "{{FurtherLinkVersion.Current}}"}""";

    /// <summary>Says that the server is there, and where it is open to anybody; as JSON to who accepts that.</summary>
    public Task StatusAsync(HttpContext context)
    {
        var warning = options.Value.LegacyOpen ? Open : null;
        if (warning is not null)
            context.Response.Headers["FurtherLink-Warning"] = warning;
        if (!context.Request.Headers.Accept.ToString().Contains("application/json", StringComparison.OrdinalIgnoreCase))
            return HttpAnswers.TextAsync(context, StatusCodes.Status200OK, "OK");
        return HttpAnswers.JsonAsync(context, writer =>
        {
            writer.WriteString("status", "OK");
            writer.WriteStartArray("warnings");
            if (warning is not null)
                writer.WriteStringValue(warning);
            writer.WriteEndArray();
        });
    }

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
        // The store bounds the body itself, at a size of its own.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
        var request = context.Request;
        var user = Grant.Of(context.User).UserFor(request.Query.TryGetValue("user", out var users) ? users[0] ?? "" : null);
        var outcome = await files.UploadAsync(request.BodyReader, request.ContentLength, user, context.RequestAborted).ConfigureAwait(false);
        if (outcome.Status is UploadStatus.Done)
            audit.Write(AuditEvent.Of("uploaded", Grant.Of(context.User), LocalEnd.CallerOf(context)) with { Directory = outcome.Directory, User = outcome.User });
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
