using System.Security.Cryptography;
using System.Text;
using FurtherLink.Load.Peers;

namespace FurtherLink.Load.Measures;

/// <summary>A file that programs print: lines of a log, some of them with characters beyond ASCII and what JSON escapes.</summary>
internal sealed class PrintedFile : IDisposable
{
    private readonly byte[] _hash;

    /// <summary>Writes it.</summary>
    /// <param name="length">Its length in bytes, about.</param>
    public PrintedFile(int length)
    {
        var text = new StringBuilder(length + 200);
        for (var i = 0; text.Length < length; i++)
        {
            text.Append("2026-01-31T12:00:00.").Append(i % 1000).Append(" INFO  worker-").Append(i % 8).Append(" handled request ").Append(i);
            text.Append(i % 10 == 0 ? " of \"Zoë\" in 7 µs\t[tab]\n" : " in 12 ms, all is well with it\n");
        }
        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        Length = bytes.Length;
        Path = System.IO.Path.GetTempFileName();
        File.WriteAllBytes(Path, bytes);
        _hash = SHA256.HashData(bytes);
        Room = new byte[(bytes.Length * 2) + (1 << 20)];
    }

    /// <summary>Its length in bytes.</summary>
    public int Length { get; }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Room for what comes of it, with all that a protocol puts around it.</summary>
    public byte[] Room { get; }

    /// <summary>Checks what came.</summary>
    /// <param name="link">Where it came.</param>
    /// <param name="kept">How much of <see cref="Room"/> it fills.</param>
    /// <exception cref="InvalidOperationException">It is not the file.</exception>
    public void Check(Link link, int kept)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        link.Hash(Room.AsSpan(0, kept), hash);
        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(_hash))
            throw new InvalidOperationException("what came is not what was printed");
    }

    /// <summary>Removes it.</summary>
    public void Dispose() => File.Delete(Path);
}
