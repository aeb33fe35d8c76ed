using System.Diagnostics.CodeAnalysis;

namespace FurtherLink.Transports.Portacode.Gateways;

/// <summary>A device's key pair cannot be used: the words name the file and say what to do.</summary>
/// <param name="file">The file, or the folder, that is wrong.</param>
/// <param name="message">What is wrong with it and what to do, in words; nothing of a key.</param>
/// <param name="cause">What found it; null = nothing else.</param>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Without its file it helps nobody.")]
public sealed class DeviceIdentityException(string file, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The file, or the folder, that is wrong.</summary>
    public string File { get; } = file;
}
