using FurtherLink.Messages;

namespace FurtherLink.Sessions.Logs;

/// <summary>What a text reader holds back: of each stream the beginning of a character, until it is whole or proves to be none.</summary>
internal sealed class CutCharacters
{
    private readonly byte[] _scratch = new byte[4]; // a character put together from two places

    /// <summary>By kind, what lies before the reader's position and waits for its rest.</summary>
    public Utf8Tail[] Tails { get; } = new Utf8Tail[2];

    /// <summary>Whether something of a stream waits.</summary>
    public bool Has(OutputKind kind) => Tails[OutputLog.Index(kind)].Count > 0;

    /// <summary>Begins anew behind some bytes.</summary>
    /// <param name="before">By kind, the last of them.</param>
    public void Set(ReadOnlySpan<Utf8Tail> before)
    {
        before.CopyTo(Tails);
        foreach (ref var tail in Tails.AsSpan())
            tail.KeepLast(tail.Incomplete);
    }

    /// <summary>Holds back what ends in the middle of a character.</summary>
    public void Append(OutputKind kind, ReadOnlySpan<byte> bytes) => Tails[OutputLog.Index(kind)].Append(bytes);

    /// <summary>Goes on with a character, byte by byte from what follows, until it is whole or proves to be none.</summary>
    /// <param name="kind">The stream.</param>
    /// <param name="bytes">What follows.</param>
    /// <param name="whole">What need not wait any more, borrowed until the next call; empty where all of it still waits.</param>
    /// <returns>How many of the bytes were taken.</returns>
    public int Join(OutputKind kind, ReadOnlySpan<byte> bytes, out ReadOnlyMemory<byte> whole)
    {
        ref var tail = ref Tails[OutputLog.Index(kind)];
        for (var i = 0; i < bytes.Length; i++)
        {
            tail.Append(bytes[i]);
            if (tail.Count - tail.Incomplete is > 0 and var count)
            {
                whole = _scratch.AsMemory(0, tail.TakeFirst(count, _scratch));
                return i + 1;
            }
        }

        whole = default;
        return bytes.Length;
    }

    /// <summary>Takes what will not get its rest, one stream after the other.</summary>
    /// <param name="kind">The stream.</param>
    /// <param name="data">Its bytes, borrowed until the next call.</param>
    /// <returns>False where nothing waits.</returns>
    public bool TryTake(out OutputKind kind, out ReadOnlyMemory<byte> data)
    {
        for (var i = 0; i < Tails.Length; i++)
        {
            if (Tails[i].Count > 0)
            {
                kind = (OutputKind)(i + 1);
                data = _scratch.AsMemory(0, Tails[i].TakeFirst(Tails[i].Count, _scratch));
                return true;
            }
        }

        kind = default;
        data = default;
        return false;
    }
}
