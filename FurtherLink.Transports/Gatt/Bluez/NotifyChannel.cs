using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>
/// Notifies all centrals that have subscribed to a characteristic: BlueZ knows no single addressee. Through a socket that BlueZ has asked for, else by
/// signals on the bus. Thread safe.
/// </summary>
internal sealed class NotifyChannel : IDisposable
{
    /// <summary>What every link carries at once, in bytes.</summary>
    public const int LeastMtu = 23;

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _sending = new(1);
    private Socket? _socket;
    private SignalSender? _signal;
    private int _mtu = LeastMtu;
    private ushort _lastMessage;

    /// <summary>Sends one signal.</summary>
    /// <param name="value">What of.</param>
    /// <returns>False where there is no bus any more.</returns>
    public delegate bool SignalSender(ReadOnlySpan<byte> value);

    /// <summary>Called when nobody is subscribed any more, on any thread.</summary>
    public Action? Closed { get; set; }

    /// <summary>Whether anybody is subscribed.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_lock)
                return _socket is not null || _signal is not null;
        }
    }

    /// <summary>How much the link of who subscribed first carries at once, in bytes; others' may carry less, and BlueZ does not say.</summary>
    public int Mtu
    {
        get
        {
            lock (_lock)
                return _mtu;
        }
    }

    /// <summary>An id for a message: they count up, so that who reads them can tell which came before which.</summary>
    public ushort NextMessage()
    {
        lock (_lock)
            return ++_lastMessage;
    }

    /// <summary>Opens a socket for BlueZ, which had none or has lost it.</summary>
    /// <param name="mtu">How much the link of who subscribes carries at once.</param>
    /// <returns>BlueZ's end: to be given away and then disposed.</returns>
    public SafeFileHandle Acquire(int mtu)
    {
        var (ours, theirs) = SocketPair.Create();
        Open(ours, signal: null, mtu);
        _ = WatchAsync(ours);
        return theirs;
    }

    /// <summary>Notifies by signals from now on.</summary>
    public void StartSignals(SignalSender signal) => Open(socket: null, signal, LeastMtu);

    /// <summary>Notifies no more.</summary>
    public void StopSignals() => Close(null);

    /// <summary>Sends one value; waits while BlueZ takes none.</summary>
    /// <returns>False where nobody is subscribed.</returns>
    public async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Socket? socket;
            SignalSender? signal;
            lock (_lock)
                (socket, signal) = (_socket, _signal);
            if (socket is null)
                return signal?.Invoke(value.Span) == true;
            await socket.SendAsync(value, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false; // BlueZ has closed its end: whoever watches it says so
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Nobody is subscribed any more.</summary>
    public void Dispose() => Close(null);

    private void Open(Socket? socket, SignalSender? signal, int mtu)
    {
        Socket? before;
        lock (_lock)
        {
            before = _socket;
            (_socket, _signal, _mtu) = (socket, signal, mtu);
        }

        before?.Dispose();
    }

    /// <summary>Waits for BlueZ to close its end: nobody is subscribed then.</summary>
    private async Task WatchAsync(Socket socket)
    {
        var nothing = new byte[1];
        try
        {
            while (await socket.ReceiveAsync(nothing.AsMemory(), SocketFlags.None).ConfigureAwait(false) > 0)
                continue;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed as well.
        }

        Close(socket);
    }

    private void Close(Socket? socket)
    {
        Socket? closed;
        lock (_lock)
        {
            if (socket is not null && socket != _socket)
                return;
            if (_socket is null && _signal is null)
                return;
            closed = _socket;
            (_socket, _signal, _mtu) = (null, null, LeastMtu);
        }

        closed?.Dispose();
        Closed?.Invoke();
    }
}
