using System.Net.Sockets;
using FurtherLink.Host.Configuration;
using FurtherLink.Processes;

namespace FurtherLink.Host.Serving;

/// <summary>The host that runs on this machine for a state directory, by its Unix domain socket: how it gets one, and how commands find it.</summary>
internal static class LocalHost
{
    /// <summary>What the setting says where no socket is wanted.</summary>
    public const string None = "none";

    /// <summary>The socket that a host has unless it is told otherwise.</summary>
    public static string DefaultSocket(string state) => Path.Combine(state, "furtherlink.sock");

    /// <summary>Makes the socket of a host that starts.</summary>
    /// <param name="options">Its settings.</param>
    /// <param name="hasPlace">Whether it has the place of its state directory's server.</param>
    /// <param name="warnings">Where it is said that there is none, and why.</param>
    /// <returns>Null where there is to be none, or the default one cannot be had.</returns>
    /// <exception cref="SettingException">The one that was asked for cannot be had.</exception>
    public static SocketFile? Listen(ServeOptions options, bool hasPlace, TextWriter warnings)
    {
        if (options.Socket is null ? !hasPlace : options.Socket == None)
            return null;
        try
        {
            return SocketFile.Listen(options.Socket ?? DefaultSocket(StateDirectory.Locate(options.StateDirectory, Environment.GetEnvironmentVariable)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (options.Socket is not null)
                throw new SettingException($"Socket: {e.Message}; say another with --socket, or --socket none.");
            warnings.WriteLine($"furtherlink: there is no socket for commands on this machine: {e.Message}");
            return null;
        }
    }

    /// <summary>The socket of the host that runs with a state directory.</summary>
    /// <param name="state">The state directory, as <see cref="StateDirectory.Locate"/> gives it.</param>
    /// <returns>Its path; null where none runs, or the one that runs has no socket.</returns>
    public static string? Find(string state) => RunningServer.Find(state)?.Socket;

    /// <summary>Connects to the host that runs with a state directory.</summary>
    /// <param name="state">The state directory, as <see cref="StateDirectory.Locate"/> gives it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The socket, to be disposed by the caller; null where there is no such host that lets this user in.</returns>
    public static async Task<Socket?> TryConnectAsync(string state, CancellationToken cancellationToken)
    {
        if (Find(state) is not { } path)
            return null;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return socket;
        }
        catch (SocketException)
        {
            // It is just starting or ending.
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
