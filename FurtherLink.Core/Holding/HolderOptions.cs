namespace FurtherLink.Holding;

/// <summary>Where the process is that holds sessions, and how it is started.</summary>
public sealed class HolderOptions
{
    /// <summary>The path of its Unix domain socket, in a directory that only its user may enter; at most 107 bytes (unix(7)). Mandatory.</summary>
    public string Socket { get; set; } = "";

    /// <summary>
    /// Starts it: a process of its own that serves the socket, in a session of its own, so that it outlives this one. Called when the first
    /// session is to be held and nobody listens; it need not wait until somebody does. Mandatory.
    /// </summary>
    public Action? Launch { get; set; }
}
