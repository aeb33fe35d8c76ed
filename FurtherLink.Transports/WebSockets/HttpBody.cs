using System.Buffers;
using FurtherLink.Messages;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets;

/// <summary>Reads short bodies of requests.</summary>
internal static class HttpBody
{
    /// <summary>Reads one to its end.</summary>
    /// <param name="context">The request.</param>
    /// <param name="most">The most bytes it may have.</param>
    /// <exception cref="LinkException">It has more.</exception>
    public static async Task<byte[]> ReadAsync(HttpContext context, int most)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            if (result.Buffer.Length > most)
            {
                reader.AdvanceTo(result.Buffer.End);
                throw new LinkException(FailureCode.BadValue, $"the body must be of at most {most} bytes");
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
}
