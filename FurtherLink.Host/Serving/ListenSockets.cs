using System.Net;
using System.Net.Sockets;
using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Serving;

/// <summary>The sockets that the host listens on, bound before anything else starts, all on one port.</summary>
internal sealed class ListenSockets : IDisposable
{
    // A free port of the first address may be taken on the second; that this happens so often in a row means something else is wrong.
    private const int Attempts = 16;

    private readonly List<Socket> _sockets;

    private ListenSockets(List<Socket> sockets) => _sockets = sockets;

    /// <summary>Where they are bound.</summary>
    public IEnumerable<IPEndPoint> EndPoints => _sockets.Select(socket => (IPEndPoint)socket.LocalEndPoint!);

    /// <summary>The port of all of them.</summary>
    public int Port => EndPoints.First().Port;

    /// <summary>Whether other devices can reach them.</summary>
    public bool Public => EndPoints.Any(end => !IPAddress.IsLoopback(end.Address));

    /// <summary>Binds.</summary>
    /// <param name="addresses">"loopback", "any" or IP addresses.</param>
    /// <param name="port">The port; 0 = a free one.</param>
    /// <exception cref="SettingException">An address cannot be had.</exception>
    public static ListenSockets Bind(IReadOnlyList<string> addresses, int port)
    {
        var wanted = addresses.SelectMany(Meaning).DistinctBy(each => each.Address).ToList();
        for (var attempt = 1; ; attempt++)
        {
            var sockets = new List<Socket>();
            try
            {
                foreach (var (address, optional) in wanted)
                {
                    if (TryBind(address, sockets.Count > 0 && port == 0 ? ((IPEndPoint)sockets[0].LocalEndPoint!).Port : port, optional) is { } socket)
                        sockets.Add(socket);
                }

                return sockets.Count > 0 ? new ListenSockets(sockets) : throw new SettingException("Address: this device has no such address.");
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse && port == 0 && attempt < Attempts)
            {
                sockets.ForEach(socket => socket.Dispose());
            }
            catch (SocketException exception)
            {
                sockets.ForEach(socket => socket.Dispose());
                throw new SettingException(Words(exception, port, string.Join(", ", addresses)));
            }
        }
    }

    /// <summary>The socket bound to an end point.</summary>
    public Socket Get(EndPoint end) => _sockets.Find(socket => end.Equals(socket.LocalEndPoint))!;

    /// <inheritdoc/>
    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());

    private static IEnumerable<(IPAddress Address, bool Optional)> Meaning(string text)
    {
        if (Checks.IsLoopback(text))
            return [(IPAddress.Loopback, true), (IPAddress.IPv6Loopback, true)];
        if (Checks.IsAny(text))
            return [(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, false)];
        return [(IPAddress.Parse(text), false)];
    }

    // Null where an address that would be nice to have is not there.
    private static Socket? TryBind(IPAddress address, int port, bool optional)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = address.Equals(IPAddress.IPv6Any);
            socket.Bind(new IPEndPoint(address, port));

            // Taken for good only now: two sockets may be bound to one port, but not both listen.
            socket.Listen(512);
            return socket;
        }
        catch (SocketException exception)
        {
            socket?.Dispose();
            if (optional && exception.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
                return null;
            throw;
        }
    }

    private static string Words(SocketException exception, int port, string addresses) => exception.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse =>
            $"Port: {port} is already in use by another program, perhaps another FurtherLink; stop that one or choose another port with --port.",
        SocketError.AccessDenied => $"Port: {port} is not allowed for this user; choose one from 1024 to 65535 with --port.",
        SocketError.AddressNotAvailable => $"Address: \"{addresses}\" is not an address of this device.",
        _ => $"Address: cannot listen on \"{addresses}\", port {port}: {exception.Message}.",
    };
}
