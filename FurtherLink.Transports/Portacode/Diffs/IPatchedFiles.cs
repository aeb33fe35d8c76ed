namespace FurtherLink.Transports.Portacode.Diffs;

/// <summary>The files that a diff is applied to: on the disk, or only in thought. Paths are absolute.</summary>
internal interface IPatchedFiles
{
    /// <summary>Whether anything has this name.</summary>
    bool Exists(string path);

    /// <summary>What a file holds.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    byte[] Read(string path);

    /// <summary>Gives a file its content, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">What it holds then.</param>
    /// <param name="executable">Whether it becomes executable; null = as it was.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    void Write(string path, byte[] content, bool? executable);

    /// <summary>Removes a file.</summary>
    /// <exception cref="IOException">It cannot be.</exception>
    void Delete(string path);

    /// <summary>Gives a file another name, which must be free.</summary>
    /// <exception cref="IOException">It cannot be.</exception>
    void Move(string from, string to);
}
