using System.Runtime.CompilerServices;
using FurtherLink.Messages;
using FurtherLink.Peers;
using FurtherLink.Security.Auditing;

namespace FurtherLink.Device;

/// <summary>
/// The calls of "files": "files.upload" puts a directory into the user's work directory. Its body is an <see cref="UploadText"/>, its
/// result an <see cref="UploadOutcome"/> whose status is <see cref="UploadStatus.Done"/>. "files.uploadBegin", "files.uploadFile", "files.uploadEnd"
/// and "files.uploadCancel" do it in pieces: a client has at most 4 uploads open, each of at most <see cref="LinkOptions.MaxUpload"/> bytes and
/// 100 000 files; what is open when it goes is removed.
/// </summary>
/// <param name="files">Where uploads go.</param>
/// <param name="audit">Is told of them; null = nobody.</param>
public sealed class UploadService(FileStore files, AuditLog? audit = null) : IService
{
    private readonly ConditionalWeakTable<Peer, PeerUploads> _open = [];

    /// <inheritdoc/>
    public string Name => "files";

    /// <inheritdoc/>
    public Access Needs(Call call) => Access.Drive;

    /// <inheritdoc/>
    /// <exception cref="LinkException">
    /// <see cref="FailureCode.NotSupported"/>: another call; <see cref="FailureCode.BadMessage"/>: the object has not the form of an upload;
    /// <see cref="FailureCode.Failed"/>: it could not be carried out; <see cref="FailureCode.Limited"/>: it is too large, or too many are open;
    /// <see cref="FailureCode.NotFound"/>: no such upload is open.
    /// </exception>
    public async ValueTask<object?> CallAsync(Call call, Peer peer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(peer);
        return call switch
        {
            { Name: "files.upload", Body: UploadText upload } => await UploadAsync(upload, peer, cancellationToken).ConfigureAwait(false),
            // Each waits for the one before it, and not for whom it is told.
            { Name: "files.uploadBegin", Body: UploadBegin begin } => await UploadsOf(peer).BeginAsync(begin, peer.UserFor(begin.User)).ConfigureAwait(false),
            { Name: "files.uploadFile", Body: UploadPiece piece } => await UploadsOf(peer).AppendAsync(piece).ConfigureAwait(false),
            { Name: "files.uploadEnd", Body: UploadEnd end } => await UploadsOf(peer).EndAsync(end).ConfigureAwait(false),
            { Name: "files.uploadCancel", Body: UploadEnd cancel } => await UploadsOf(peer).CancelAsync(cancel).ConfigureAwait(false),
            _ => throw new LinkException(FailureCode.NotSupported, $"there is no call {call.Name}"),
        };
    }

    private PeerUploads UploadsOf(Peer peer) => _open.GetValue(peer, asked =>
    {
        var uploads = new PeerUploads(files, upload => audit?.Write(
            AuditEvent.Of("uploaded", asked.Grant, asked.Caller) with { Connection = asked.ConnectionId, Directory = upload.Name.ToString(), User = upload.User.Name }));
        asked.Run(uploads.CloseAsync);
        return uploads;
    });

    private async Task<object?> UploadAsync(UploadText upload, Peer peer, CancellationToken cancellationToken)
    {
        var outcome = await files.UploadAsync(upload.Json, peer.UserFor(upload.User), cancellationToken).ConfigureAwait(false);
        if (outcome.Status is UploadStatus.Done)
            audit?.Write(AuditEvent.Of("uploaded", peer.Grant, peer.Caller) with { Connection = peer.ConnectionId, Directory = outcome.Directory, User = outcome.User });
        return outcome.Status switch
        {
            UploadStatus.Done => outcome,
            UploadStatus.Invalid => throw new LinkException(FailureCode.BadMessage, outcome.Reason!),
            UploadStatus.TooLarge => throw new LinkException(FailureCode.Limited, outcome.Reason!),
            _ => throw new LinkException(FailureCode.Failed, outcome.Reason!),
        };
    }
}
