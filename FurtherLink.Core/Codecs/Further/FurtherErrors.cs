using FurtherLink.Messages;

namespace FurtherLink.Codecs.Further;

/// <summary>
/// Which of Further-Link's texts a failure is told by. Clients compare them, so they never change; what was wrong is said beside
/// them, in words.
/// </summary>
internal static class FurtherErrors
{
    /// <summary>The call of run-py's "upload".</summary>
    public const string Upload = "files.upload";

    /// <summary>The word of "code" in the data of an error that answers a request with a name.</summary>
    public static string CodeOf(FailureCode code) => code switch
    {
        FailureCode.BadMessage => "badMessage",
        FailureCode.BadValue => "badValue",
        FailureCode.NotFound => "notFound",
        FailureCode.AlreadyExists => "alreadyExists",
        FailureCode.NotSupported => "notSupported",
        FailureCode.Denied => "denied",
        FailureCode.Unauthenticated => "unauthenticated",
        FailureCode.Limited => "limited",
        FailureCode.InputStalled => "inputStalled",
        FailureCode.InputClosed => "inputClosed",
        FailureCode.ProgramNotFound => "programNotFound",
        FailureCode.ProgramNotRunnable => "programNotRunnable",
        FailureCode.Failed => "failed",
        _ => "internal",
    };

    /// <summary>The text of "message" in an error's data.</summary>
    public static string TextOf(Failed failed) => failed switch
    {
        { Call: Upload, Code: not FailureCode.BadMessage } => "Bad upload",
        { Code: var code } => code switch
        {
            // Not the dialect's form: no JSON, unknown or missing type, a mandatory field that is missing or of the wrong type.
            FailureCode.BadMessage => "Bad message",
            // stdin, stop, resize, keyevent for a session that does not run; an unknown runner.
            FailureCode.NotFound => "Bad message",
            // start with the name of a session that runs.
            FailureCode.AlreadyExists => "Bad message",
            // resize without a terminal; what this dialect has no word for.
            FailureCode.NotSupported => "Bad message",
            // JSON that is no object, a size out of range, a lone surrogate.
            FailureCode.BadValue => "Message Exception",
            // The program has closed its input, or does not read it.
            FailureCode.InputClosed or FailureCode.InputStalled => "Message Exception",
            // Rights and limits, which Further-Link does not have; they are no fault of the message's form.
            FailureCode.Denied or FailureCode.Unauthenticated or FailureCode.Limited => "Message Exception",
            // An unknown user, a program that is not there or cannot be started, a fault of ours.
            _ => "Message Exception",
        },
    };
}
