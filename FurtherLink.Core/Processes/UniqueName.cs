namespace FurtherLink.Processes;

/// <summary>Names of files and directories that nobody can guess, and that are taken by chance by nobody else.</summary>
internal static class UniqueName
{
    /// <summary>Makes one: 16 hexadecimal digits, 62 bits of the system's randomness.</summary>
    /// <remarks>A <see cref="Guid"/> has them without the cryptography library, whose loading takes a noticeable part of a server's start.</remarks>
    public static string New() => Guid.NewGuid().ToString("N")[16..];
}
