using System.Globalization;
using System.Text;
using FurtherLink.Device;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Security.Auditing;
using FurtherLink.Transports.Gatt.Bluez;
using FurtherLink.Transports.Gatt.Clients;
using FurtherLink.Transports.Gatt.Values;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FurtherLink.Transports.Gatt;

/// <summary>The service that clients look for, with the characteristics that they use.</summary>
internal sealed class FurtherService : IDisposable
{
    /// <summary>Its UUID.</summary>
    public const string Uuid = "12341000-1234-1234-1234-123456789aaa";

    private static readonly string Version = $$"""{"version": "{{FurtherLinkVersion.Current}}"}""";

    private readonly DebianPackages _packages;
    private readonly FileStore _files;
    private readonly AuditLog _audit;
    private readonly OutboxCharacteristic _aptVersion = new(Of("ada"));
    private readonly OutboxCharacteristic _uploaded = new(Of("bba"));
    private readonly OutboxCharacteristic _runs = new(Of("cba"));

    /// <summary>Makes it.</summary>
    public FurtherService(
        ILinkServer server, DebianPackages packages, FileStore files, AuditLog audit, IOptions<GattOptions> options, IOptions<LinkOptions> link, TimeProvider time, ILogger<RunClients> logger)
    {
        _packages = packages;
        _files = files;
        _audit = audit;
        Clients = new RunClients(server, _runs, options, link, time, logger);
        var maxMessage = options.Value.MaxMessage;
        Characteristics =
        [
            new TextCharacteristic(Of("aba"), static () => "OK"),
            new TextCharacteristic(Of("afa"), () => Clients.Count.ToString(CultureInfo.InvariantCulture)),
            new TextCharacteristic(Of("aca"), static () => Version),
            new InboxCharacteristic(Of("aab"), maxMessage, time, static (_, _) => ValueTask.CompletedTask),
            _aptVersion,
            new InboxCharacteristic(Of("adb"), maxMessage, time, AnswerVersionAsync),
            _uploaded,
            new InboxCharacteristic(Of("bca"), maxMessage, time, UploadAsync),
            _runs,
            new InboxCharacteristic(Of("cca"), maxMessage, time, Clients.TakeAsync),
        ];
    }

    /// <summary>Its characteristics.</summary>
    public IReadOnlyList<Characteristic> Characteristics { get; }

    /// <summary>Who runs programs.</summary>
    public RunClients Clients { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Clients.Dispose();
        _aptVersion.Dispose();
        _uploaded.Dispose();
        _runs.Dispose();
    }

    private static string Of(string end) => Uuid[..^3] + end;

    private async ValueTask AnswerVersionAsync(Central central, ReadOnlyMemory<byte> name)
    {
        var version = await _packages.FindVersionAsync(Encoding.UTF8.GetString(name.Span), CancellationToken.None).ConfigureAwait(false);
        // A version has no character that JSON would escape: Debian Policy section 5.6.12.
        var answer = version is null ? """{"version": null}""" : $$"""{"version": "{{version}}"}""";
        await _aptVersion.AnswerAsync(Encoding.UTF8.GetBytes(answer), CancellationToken.None).ConfigureAwait(false);
    }

    private async ValueTask UploadAsync(Central central, ReadOnlyMemory<byte> upload)
    {
        string answer;
        try
        {
            var grant = Clients.GrantOf(central.Device);
            grant.Demand(Access.Drive);
            var outcome = await _files.UploadAsync(upload, grant.UserFor(null), CancellationToken.None).ConfigureAwait(false);
            answer = outcome.Status is UploadStatus.Done
                ? $$"""{"success": true, "fetched_urls": {{(outcome.FetchedUrls ? "true" : "false")}}}"""
                : "Error: " + outcome.Reason;
            if (outcome.Status is UploadStatus.Done)
                _audit.Write(AuditEvent.Of("uploaded", grant, new Caller(central.Address, IsLocal: false)) with { Directory = outcome.Directory, User = outcome.User });
        }
        catch (LinkException e)
        {
            answer = "Error: " + e.Message;
        }

        await _uploaded.AnswerAsync(Encoding.UTF8.GetBytes(answer), CancellationToken.None).ConfigureAwait(false);
    }
}
