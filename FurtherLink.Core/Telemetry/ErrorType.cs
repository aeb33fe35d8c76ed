using FurtherLink.Messages;

namespace FurtherLink.Telemetry;

/// <summary>Kinds of failures as OpenTelemetry's attribute "error.type" has them: a short list of words.</summary>
internal static class ErrorType
{
    /// <summary>The word for a failure's code.</summary>
    public static string Of(FailureCode code) => code switch
    {
        FailureCode.BadMessage => "bad_message",
        FailureCode.BadValue => "bad_value",
        FailureCode.NotFound => "not_found",
        FailureCode.AlreadyExists => "already_exists",
        FailureCode.NotSupported => "not_supported",
        FailureCode.Denied => "denied",
        FailureCode.Limited => "limited",
        FailureCode.InputStalled => "input_stalled",
        FailureCode.InputClosed => "input_closed",
        FailureCode.Failed => "failed",
        FailureCode.Internal => "internal",
        _ => "_OTHER",
    };

    /// <summary>The word for what was thrown: a failure's, or the name of a type.</summary>
    public static string Of(Exception exception) => exception is LinkException fault ? Of(fault.Code) : exception.GetType().FullName ?? "_OTHER";
}
