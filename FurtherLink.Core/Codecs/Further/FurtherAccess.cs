using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>Reads and spells what is said about who may connect: auth, pair, pairingOpen, pairingWait, and their answers.</summary>
internal static class FurtherAccess
{
    private static readonly string[] Modes = ["drive", "view", "own"];

    /// <summary>auth: a token, or a user and a password.</summary>
    /// <exception cref="LinkException">A field is missing or of the wrong form, or there are both.</exception>
    public static Call Auth(FurtherRequest request) =>
        (request.OptionalText(FurtherField.Token), request.OptionalText(FurtherField.User), request.OptionalText(FurtherField.Password)) switch
        {
            ({ } token, null, null) => new Call("auth.login", new Login(token)),
            (null, { } user, { } password) => new Call("auth.login", new Login(null, user, password)),
            ({ }, _, _) => throw request.Bad("auth: a token, or user and password, and not both"),
            _ => throw request.Bad("auth: token is missing, or user and password"),
        };

    /// <summary>pair: a code for a token.</summary>
    /// <exception cref="LinkException">A field is missing or of the wrong form.</exception>
    public static Call Pair(FurtherRequest request) =>
        new("pairing.pair", new PairRequest(request.RequiredText(FurtherField.Code), request.RequiredText(FurtherField.Name)));

    /// <summary>pairingOpen: what the token will allow.</summary>
    /// <exception cref="LinkException">A field is of the wrong form.</exception>
    public static Call Open(FurtherRequest request)
    {
        var access = request.OneOf(FurtherField.Mode, Modes) switch
        {
            0 => Access.Drive,
            1 => Access.View,
            _ => Access.Own,
        };
        return new Call("pairing.open", new TokenTerms(access)
        {
            Users = FurtherRuns.Texts(request, FurtherField.Users),
            SeesOthers = request.Value(FurtherField.SeesOthers).Type == JsonTokenType.None || request.Flag(FurtherField.SeesOthers),
            Expires = Time(request),
        });
    }

    /// <summary>Spells the data of what a client asks for.</summary>
    public static void Write(Utf8JsonWriter json, Login login)
    {
        if (login.Token is not null)
            json.WriteString("token", login.Token);
        if (login.User is not null)
            json.WriteString("user", login.User);
        if (login.Password is not null)
            json.WriteString("password", login.Password);
    }

    /// <summary>Spells the data of what a client asks for.</summary>
    public static void Write(Utf8JsonWriter json, TokenTerms terms)
    {
        json.WriteString("mode", NameOf(terms.Access));
        if (terms.Users is not null)
        {
            json.WriteStartArray("users");
            foreach (var user in terms.Users)
                json.WriteStringValue(user);
            json.WriteEndArray();
        }

        json.WriteBoolean("seesOthers", terms.SeesOthers);
        if (terms.Expires is { } expires)
            json.WriteString("expires", expires);
    }

    /// <summary>Spells the data of an answer.</summary>
    /// <returns>Its type; null where it is none of these.</returns>
    public static string? TypeOf(object? answer) => answer switch
    {
        AuthAnswer => "auth",
        PairAnswer => "paired",
        PairingOpened => "pairing",
        PairingOver => "pairingOver",
        _ => null,
    };

    /// <summary>Spells the data of an answer.</summary>
    public static void WriteAnswer(Utf8JsonWriter json, object answer)
    {
        switch (answer)
        {
            case AuthAnswer auth:
                json.WriteString("name", auth.Name);
                json.WriteString("access", NameOf(auth.Access));
                break;
            case PairAnswer paired:
                json.WriteString("token", paired.Token);
                json.WriteString("name", paired.Name);
                json.WriteString("access", NameOf(paired.Access));
                break;
            case PairingOpened opened:
                json.WriteString("code", opened.Code);
                json.WriteString("ends", opened.Ends);
                break;
            case PairingOver over:
                json.WriteString("outcome", over.Outcome);
                json.WriteString("name", over.Name);
                break;
        }
    }

    /// <summary>Reads an answer.</summary>
    /// <returns>Null where the type is none of these.</returns>
    public static Result? Read(string type, JsonElement data) => type switch
    {
        "auth" => new Result("auth.login", new AuthAnswer(data.GetProperty("name").GetString()!, AccessOf(data))),
        "paired" => new Result("pairing.pair", new PairAnswer(data.GetProperty("token").GetString()!, data.GetProperty("name").GetString()!, AccessOf(data))),
        "pairing" => new Result("pairing.open", new PairingOpened(data.GetProperty("code").GetString()!, data.GetProperty("ends").GetDateTimeOffset())),
        "pairingOver" => new Result("pairing.wait", new PairingOver(data.GetProperty("outcome").GetString()!, data.GetProperty("name").GetString())),
        _ => null,
    };

    private static string NameOf(Access access) => access.ToString().ToLowerInvariant();

    private static Access AccessOf(JsonElement data) => Enum.TryParse<Access>(data.GetProperty("access").GetString(), ignoreCase: true, out var access) ? access : Access.None;

    private static DateTimeOffset? Time(FurtherRequest request)
    {
        var value = request.Value(FurtherField.Expires);
        if (value.Type is JsonTokenType.None or JsonTokenType.Null)
            return null;
        const string Wrong = "pairingOpen: expires must be a time as 2030-01-31T12:00:00Z";
        return DateTimeOffset.TryParse(
            request.OptionalText(FurtherField.Expires), System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw request.Bad(Wrong);
    }
}
