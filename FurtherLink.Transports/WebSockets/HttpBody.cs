using System.Buffers;
using System.Text.Json;
using FurtherLink.Messages;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Reads short bodies of requests.</summary>
internal static class HttpBody
{
    private const int MostBytes = 16 * 1024;

    /// <summary>Reads a JSON object of texts.</summary>
    /// <param name="context">The request.</param>
    /// <param name="form">What it is to look like, for who has sent another.</param>
    /// <returns>Its texts by name; of a name that stands twice the last.</returns>
    /// <exception cref="BadHttpRequestException">It does not say that it is JSON.</exception>
    /// <exception cref="LinkException">It is another, or longer than 16 KiB.</exception>
    public static async Task<IReadOnlyDictionary<string, string>> ReadTextsAsync(HttpContext context, string form)
    {
        // A page of another origin has to ask first (a preflight) before it may send that.
        if (!context.Request.HasJsonContentType())
            throw new BadHttpRequestException("the body must be of type application/json", StatusCodes.Status415UnsupportedMediaType);
        return Parse(await ReadAsync(context).ConfigureAwait(false)) ?? throw Mistake(form);
    }

    /// <summary>What to throw where a body is not of the form that it is to be.</summary>
    public static LinkException Mistake(string form) => new(FailureCode.BadValue, $"the body must be {form}");

    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            if (result.Buffer.Length > MostBytes)
            {
                reader.AdvanceTo(result.Buffer.End);
                throw Mistake($"of at most {MostBytes} bytes");
            }

            if (result.IsCompleted)
            {
                var body = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return body;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private static Dictionary<string, string>? Parse(byte[] body)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject)
                return null;
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                if (reader.TokenType is JsonTokenType.String)
                    texts[name] = reader.GetString()!;
                reader.Skip();
            }

            // What stands behind the object is a mistake, too.
            return reader.Read() ? null : texts;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
