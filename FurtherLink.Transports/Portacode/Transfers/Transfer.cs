using System.Collections;
using System.Text.Json.Nodes;
using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>One end of a transfer that can go on after an interruption: a payload in numbered chunks, and which of them are done. Not thread safe.</summary>
/// <param name="id">Its id.</param>
/// <param name="path">The file or folder, absolute.</param>
/// <param name="isFolder">Whether it is a folder, which travels as an archive.</param>
/// <param name="payload">What is sent.</param>
internal abstract class Transfer(Guid id, string path, bool isFolder, Payload payload) : IDisposable
{
    // A list of more numbers says no more; who has sent those asks again.
    private const int MostListed = 10_000;

    private readonly BitArray _done = new(payload.ChunkCount);

    /// <summary>The file or folder, absolute.</summary>
    public string Path { get; } = path;

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder { get; } = isFolder;

    /// <summary>What is sent.</summary>
    public Payload Payload { get; } = payload;

    /// <summary>The end's name in the protocol: "source" or "destination".</summary>
    public abstract string Role { get; }

    /// <summary>Whether it is over, well or not; all it held is released then.</summary>
    public bool IsOver => State is "completed" or "canceled";

    /// <summary>Its state in the protocol: "ready" or "receiving", then "completed" or "canceled".</summary>
    public string State { get; protected set; } = "ready";

    /// <summary>How many chunks are missing.</summary>
    public int Missing { get; private set; } = payload.ChunkCount;

    /// <summary>The first chunk that is missing; null where none is.</summary>
    protected int? FirstMissing => Enumerable.Range(0, Payload.ChunkCount).Where(index => !_done[index]).Cast<int?>().FirstOrDefault();

    /// <summary>Whether a chunk is done.</summary>
    public bool Has(int index) => _done[index];

    /// <summary>How much is done, 0 to 100.</summary>
    public double Progress => Math.Round(100.0 * (Payload.ChunkCount - Missing) / Payload.ChunkCount, 2);

    /// <summary>Puts everything in place and checks it; what is over stays so.</summary>
    /// <exception cref="LinkException">Something is missing or wrong.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    public abstract ValueTask FinishAsync(CancellationToken cancellationToken);

    /// <summary>Gives it up and removes what was received.</summary>
    /// <exception cref="LinkException">It is complete already.</exception>
    public void Cancel()
    {
        if (State is "completed")
            throw new LinkException(FailureCode.BadMessage, $"Transfer is complete already: {id}");
        State = "canceled";
        Dispose();
    }

    /// <inheritdoc />
    public abstract void Dispose();

    /// <summary>The fields that tell all about it.</summary>
    public virtual JsonObject Describe()
    {
        var fields = new JsonObject
        {
            ["transfer_id"] = id.ToString("D"),
            ["role"] = Role,
            ["kind"] = IsFolder ? "folder" : "file",
            ["state"] = State,
            ["path"] = Path,
            ["name"] = System.IO.Path.GetFileName(Path),
            ["payload_size"] = Payload.Size,
            ["payload_hash"] = Convert.ToHexStringLower(Payload.Hash),
            ["chunk_size"] = Payload.ChunkSize,
            ["chunk_count"] = Payload.ChunkCount,
            ["missing_count"] = Missing,
            ["progress_percent"] = Progress,
            ["complete"] = State is "completed",
            ["archive_format"] = IsFolder ? "tar" : null,
        };
        return fields;
    }

    /// <summary>The numbers of the chunks that are missing, at most 10 000.</summary>
    public JsonArray ListMissing() =>
        [.. Enumerable.Range(0, Payload.ChunkCount).Where(index => !_done[index]).Take(MostListed).Select(static index => (JsonNode)index)];

    /// <summary>Refuses what comes too late.</summary>
    protected void DemandGoingOn()
    {
        if (IsOver)
            throw new LinkException(FailureCode.BadMessage, $"Transfer is {State} already: {id}");
    }

    /// <summary>Notes that a chunk is done.</summary>
    protected void Mark(int index)
    {
        Missing -= _done[index] ? 0 : 1;
        _done[index] = true;
    }

    /// <summary>Notes that nothing is done.</summary>
    protected void MarkNone()
    {
        _done.SetAll(false);
        Missing = Payload.ChunkCount;
    }
}
