using FurtherLink.Messages;
using FurtherLink.Peers;

namespace FurtherLink.Device;

/// <summary>
/// The calls of "files": "files.upload" puts a directory into the user's work directory. Its body is an <see cref="UploadText"/>, its
/// result an <see cref="UploadOutcome"/> whose status is <see cref="UploadStatus.Done"/>.
/// </summary>
/// <param name="files">Where uploads go.</param>
public sealed class UploadService(FileStore files) : IService
{
    /// <inheritdoc/>
    public string Name => "files";

    /// <inheritdoc/>
    public Access Needs(Call call) => Access.Drive;

    /// <inheritdoc/>
    /// <exception cref="LinkException">
    /// <see cref="FailureCode.NotSupported"/>: another call; <see cref="FailureCode.BadMessage"/>: the object has not the form of an upload;
    /// <see cref="FailureCode.Failed"/>: it could not be carried out; <see cref="FailureCode.Limited"/>: it is too large.
    /// </exception>
    public async ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(peer);
        if (call is not { Name: "files.upload", Body: UploadText upload })
            throw new LinkException(FailureCode.NotSupported, $"there is no call {call.Name}");
        var outcome = await files.UploadAsync(upload.Json, upload.User ?? peer.Defaults.User, cancellationToken).ConfigureAwait(false);
        return outcome.Status switch
        {
            UploadStatus.Done => outcome,
            UploadStatus.Invalid => throw new LinkException(FailureCode.BadMessage, outcome.Reason!),
            UploadStatus.TooLarge => throw new LinkException(FailureCode.Limited, outcome.Reason!),
            _ => throw new LinkException(FailureCode.Failed, outcome.Reason!),
        };
    }
}
