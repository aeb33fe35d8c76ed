namespace FurtherLink.Host.Serving;

/// <summary>The files in the state directory that a server, its holder and "furtherlink restart" know each other by.</summary>
internal static class HoldFiles
{
    // unix(7): sun_path has 108 bytes, the last of which is 0.
    private const int LongestSocket = 107;

    /// <summary>The holder's socket.</summary>
    public static string Socket(string state) => Path.Combine(state, "hold.sock");

    /// <summary>What the holder prints.</summary>
    public static string Log(string state) => Path.Combine(state, "hold.log");

    /// <summary>Held by the server while it runs.</summary>
    public static string ServerLock(string state) => Path.Combine(state, "server.lock");

    /// <summary>Says which process the server is.</summary>
    public static string Server(string state) => Path.Combine(state, "server.pid");

    /// <summary>Whether a socket there can have an address.</summary>
    public static bool Fits(string state) => System.Text.Encoding.UTF8.GetByteCount(Socket(state)) <= LongestSocket;
}
