using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FurtherLink.Load.Peers;

/// <summary>A server that is measured, as a process of its own on a port of loopback; ended by <see cref="Dispose"/>.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const double TicksPerSecond = 100;
    private readonly Process _process;
    private volatile string _complaint = "";

    private ServerProcess(Process process, int port)
    {
        _process = process;
        Port = port;
    }

    /// <summary>The port of 127.0.0.1 that it listens on.</summary>
    public int Port { get; }

    /// <summary>The id of its process.</summary>
    public int Id => _process.Id;

    /// <summary>Seconds of processor time that it has taken itself, threads that have ended included and children not; in steps of 10 ms.</summary>
    public double Cpu
    {
        get
        {
            var stat = File.ReadAllText($"/proc/{Id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
    }

    /// <summary>Starts a server on a free port, without waiting for it to listen.</summary>
    /// <param name="file">The program.</param>
    /// <param name="arguments">Its arguments, for a port.</param>
    /// <param name="variables">Variables on top of this program's.</param>
    public static ServerProcess Launch(string file, Func<int, IEnumerable<string>> arguments, IReadOnlyDictionary<string, string>? variables = null)
    {
        var port = FreePort();
        var start = new ProcessStartInfo(file, arguments(port)) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{file} does not start");
        var server = new ServerProcess(process, port);
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += (_, line) => server._complaint = line.Data ?? server._complaint;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return server;
    }

    /// <summary>Starts a server and waits until it takes connections.</summary>
    /// <inheritdoc cref="Launch"/>
    public static ServerProcess Start(string file, Func<int, IEnumerable<string>> arguments, IReadOnlyDictionary<string, string>? variables = null)
    {
        var server = Launch(file, arguments, variables);
        server.Connect().Dispose();
        return server;
    }

    /// <summary>Connects to it, as soon as it listens.</summary>
    /// <exception cref="InvalidOperationException">It has ended, or does not listen within a minute.</exception>
    public Socket Connect()
    {
        var patience = Stopwatch.StartNew();
        while (true)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                socket.Connect(IPAddress.Loopback, Port);
                return socket;
            }
            catch (SocketException) when (!_process.HasExited && patience.Elapsed < TimeSpan.FromMinutes(1))
            {
                socket.Dispose();
                Thread.Sleep(1);
            }
            catch (SocketException e)
            {
                throw new InvalidOperationException($"{_process.StartInfo.FileName} does not listen on port {Port}: {_complaint}", e);
            }
        }
    }

    /// <summary>A number of /proc/PID/status, such as "RssAnon" in KiB or "Threads".</summary>
    public long Status(string name)
    {
        foreach (var line in File.ReadLines($"/proc/{Id}/status"))
        {
            if (line.StartsWith(name + ":", StringComparison.Ordinal))
                return long.Parse(line.AsSpan(name.Length + 1).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture);
        }
        throw new InvalidOperationException($"/proc/{Id}/status has no {name}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
