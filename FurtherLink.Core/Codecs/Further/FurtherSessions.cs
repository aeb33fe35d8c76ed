using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>Reads what start and attach say about sessions that outlive connections.</summary>
internal static class FurtherSessions
{
    // What may be under way to a client that acknowledges and does not say how much.
    private const long DefaultWindow = 256 * 1024;
    private const long SmallestWindow = 4096;
    private const int LongestId = 64;

    // 100 days: longer than a device stays on, and within what a timer takes.
    private const long LongestGrace = 8_640_000;

    /// <summary>start: "session", an object.</summary>
    /// <exception cref="LinkException">A field is of the wrong form.</exception>
    public static SessionOptions Options(FurtherRequest request)
    {
        if (request.Value(FurtherField.Session).Type == JsonTokenType.None)
            return SessionOptions.Default;
        if (request.Value(FurtherField.Session).Type != JsonTokenType.StartObject)
            throw request.Bad("start: session must be an object");
        request.Open(FurtherField.Session);
        var grace = request.Number(FurtherField.Grace) ?? 0;
        if (grace is not (>= 0 and <= LongestGrace))
            throw request.BadValue($"start: grace must be 0 to {LongestGrace} seconds");
        var name = request.OptionalText(FurtherField.Name);
        if (name is { Length: 0 or > 200 })
            throw request.BadValue("start: name must have 1 to 200 characters");
        if (Id(request) is { } id && !IsId(id))
            throw request.BadValue($"start: id must have 1 to {LongestId} characters, each a letter, a digit, _ or -");
        return new SessionOptions
        {
            WhenDetached = (WhenDetached)request.OneOf(FurtherField.WhenDetached, "stop", "pause", "keep"),
            Grace = TimeSpan.FromSeconds(grace),
            Name = name,
            Size = (SizePolicy)request.OneOf(FurtherField.Size, "driver", "smallest", "fixed"),
            AllDrive = request.Flag(FurtherField.AllDrive),
            RecordInput = request.Flag(FurtherField.RecordInput),
        };
    }

    /// <summary>start: "id" of the session that <see cref="Options"/> has read; null = the server makes one up.</summary>
    public static string? Id(FurtherRequest request) =>
        request.Value(FurtherField.Session).Type == JsonTokenType.None ? null : request.OptionalText(FurtherField.Id);

    /// <summary>start and attach: how the output comes, and who the client is.</summary>
    /// <param name="request">The message.</param>
    /// <param name="basis">What the connection's clients get that say nothing else.</param>
    /// <param name="acknowledges">Whether the client has said that it acknowledges.</param>
    /// <exception cref="LinkException">A field is of the wrong form.</exception>
    public static AttachOptions Attaching(FurtherRequest request, AttachOptions basis, bool acknowledges)
    {
        var window = request.Count(FurtherField.Window) ?? (acknowledges ? DefaultWindow : null);
        if (window < SmallestWindow)
            throw request.BadValue($"{FurtherVerbs.NameOf(request.Verb)}: window must be at least {SmallestWindow} bytes");
        var clientId = request.OptionalText(FurtherField.ClientId);
        if (clientId is { Length: 0 or > 200 })
            throw request.BadValue($"{FurtherVerbs.NameOf(request.Verb)}: clientId must have 1 to 200 characters");
        var lossless = request.Value(FurtherField.Delivery).Type == JsonTokenType.None
            ? basis.Lossless
            : request.OneOf(FurtherField.Delivery, "lossless", "latest") == 0;
        var patient = request.Flag(FurtherField.Patient);
        return window == basis.Window && clientId == basis.ClientId && lossless == basis.Lossless && patient == basis.Patient
            ? basis
            : basis with { Window = window, ClientId = clientId, Lossless = lossless, Patient = patient };
    }

    /// <summary>attach.</summary>
    /// <exception cref="LinkException">A field is missing or of the wrong form.</exception>
    public static Attach Attach(FurtherRequest request, string name, AttachOptions basis, bool acknowledges)
    {
        var session = request.RequiredText(FurtherField.Session);
        var options = Attaching(request, basis, acknowledges);
        return new Attach(name, session, options with
        {
            From = From(request),
            Access = request.OneOf(FurtherField.Mode, "drive", "view") == 0 ? Access.Drive : Access.View,
            Screen = request.Flag(FurtherField.Screen),
        });
    }

    private static bool IsId(string id) =>
        id.Length is >= 1 and <= LongestId && id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    private static long? From(FurtherRequest request)
    {
        var value = request.Value(FurtherField.From);
        if (value.Type is JsonTokenType.String)
            return request.OneOf(FurtherField.From, "start", "now") == 0 ? 0 : null;
        var offset = request.Count(FurtherField.From) ?? 0;
        return offset >= 0 ? offset : throw request.BadValue("attach: from must not be negative");
    }
}
