using System.Buffers;
using System.Text.Json;
using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>Reads how start wants its program run: arguments, variables, the user, the terminal. What they may hold is said where it is started.</summary>
internal static class FurtherRuns
{
    // More of them is no command line but a load; Linux itself takes some 2 MiB of both together.
    private const int Most = 4096;

    /// <summary>start: what is to be run, on top of what the message has said so far.</summary>
    /// <exception cref="LinkException">A field is of the wrong form.</exception>
    public static RunRequest Read(FurtherRequest request, RunRequest basis)
    {
        if (Texts(request, FurtherField.Args) is { } arguments)
            basis = basis with { Arguments = arguments };
        var environment = request.Value(FurtherField.Env);
        if (environment.Type is not (JsonTokenType.None or JsonTokenType.Null))
            basis = basis with { Environment = Variables(request, environment) };
        if (request.OptionalText(FurtherField.User) is { } user)
            basis = basis with { User = user };
        return request.Value(FurtherField.Terminal).Type switch
        {
            JsonTokenType.None or JsonTokenType.Null => basis,
            JsonTokenType.False => basis with { Pipes = true },
            JsonTokenType.StartObject => basis with { Terminal = Size(request) },
            _ => throw request.Bad("start: terminal must be an object with rows and cols, or false"),
        };
    }

    /// <summary>A list of texts.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="LinkException">It is anything else, or too long.</exception>
    public static List<string>? Texts(FurtherRequest request, FurtherField field)
    {
        var list = request.Value(field);
        if (list.Type is JsonTokenType.None or JsonTokenType.Null)
            return null;
        var wrong = $"{request.Label(field)} must be a list of texts";
        if (list.Type != JsonTokenType.StartArray)
            throw request.Bad(wrong);
        var texts = new List<string>();
        var reader = Open(list);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (texts.Count == Most)
                throw request.Limited($"{request.Label(field)} are more than {Most}");
            texts.Add(reader.TokenType == JsonTokenType.String ? TextAt(request, field, ref reader, list.Raw) : throw request.Bad(wrong));
        }

        return texts;
    }

    private static Dictionary<string, string?> Variables(FurtherRequest request, in FurtherValue names)
    {
        const string Wrong = "start: env must be an object of texts and null";
        if (names.Type != JsonTokenType.StartObject)
            throw request.Bad(Wrong);
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal);
        var reader = Open(names);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = TextAt(request, FurtherField.Env, ref reader, names.Raw);
            reader.Read();
            variables[name] = reader.TokenType switch
            {
                JsonTokenType.String => TextAt(request, FurtherField.Env, ref reader, names.Raw),
                JsonTokenType.Null => null,
                _ => throw request.Bad(Wrong),
            };
            if (variables.Count > Most)
                throw request.Limited($"start: env has more than {Most} names");
        }

        return variables;
    }

    private static TerminalSize Size(FurtherRequest request)
    {
        request.Open(FurtherField.Terminal);
        if (request.Integer(FurtherField.Rows) is not { } rows || request.Integer(FurtherField.Cols) is not { } columns)
            throw request.Bad("start: terminal must have rows and cols, whole numbers");
        return new TerminalSize(rows, columns);
    }

    private static Utf8JsonReader Open(in FurtherValue value)
    {
        var reader = new Utf8JsonReader(value.Raw, new JsonReaderOptions { MaxDepth = FurtherRequest.MaxDepth });
        reader.Read();
        return reader;
    }

    private static string TextAt(FurtherRequest request, FurtherField field, ref Utf8JsonReader reader, in ReadOnlySequence<byte> from) =>
        FurtherValue.TextAt(ref reader, from).TryText(out var text) ? text : throw request.LoneSurrogate(field);
}
