using FurtherLink.Messages;
using Microsoft.AspNetCore.Http;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>Why a request is not let through.</summary>
/// <param name="Status">The answer's status code.</param>
/// <param name="Reason">In words.</param>
internal sealed record Refusal(int Status, string Reason)
{
    /// <summary>After how long the next try may succeed; null = that is not known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What a fault means for an HTTP request.</summary>
    public static Refusal Of(LinkException fault) => new(
        fault.Code switch
        {
            FailureCode.Unauthenticated => StatusCodes.Status401Unauthorized,
            FailureCode.Denied => StatusCodes.Status403Forbidden,
            FailureCode.NotFound => StatusCodes.Status404NotFound,
            FailureCode.Limited => StatusCodes.Status429TooManyRequests,
            FailureCode.BadMessage or FailureCode.BadValue => StatusCodes.Status400BadRequest,
            _ => StatusCodes.Status500InternalServerError,
        },
        fault.Message)
    {
        RetryAfter = fault.RetryAfter,
    };
}
