using System.Runtime.InteropServices;

namespace FurtherLink.Host.Consoles;

/// <summary>Takes the signals that would end this process, until it is disposed; those that whoever started it has it ignore stay ignored.</summary>
internal sealed class ConsoleSignals : IDisposable
{
    /// <summary>SIGHUP's number.</summary>
    public const int HangUp = 1;

    /// <summary>SIGINT's number.</summary>
    public const int Interrupt = 2;

    /// <summary>SIGPIPE's number.</summary>
    public const int Pipe = 13;

    /// <summary>SIGTERM's number.</summary>
    public const int Terminate = 15;

    private const int Quit = 3;

    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Begins.</summary>
    /// <param name="received">Called with each signal's number, on any thread.</param>
    public ConsoleSignals(Action<int> received)
    {
        var ignored = ReadIgnored();
        foreach (var (signal, number) in new[] { (PosixSignal.SIGHUP, HangUp), (PosixSignal.SIGINT, Interrupt), (PosixSignal.SIGQUIT, Quit), (PosixSignal.SIGTERM, Terminate) })
        {
            if ((ignored & (1UL << (number - 1))) == 0)
                _registrations.Add(PosixSignalRegistration.Create(signal, context => Take(context, number)));
        }

        void Take(PosixSignalContext context, int number)
        {
            context.Cancel = true;
            received(number);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    // nohup(1) works by this.
    private static ulong ReadIgnored()
    {
        try
        {
            var line = File.ReadLines("/proc/self/status").FirstOrDefault(static line => line.StartsWith("SigIgn:", StringComparison.Ordinal));
            return line is null ? 0 : Convert.ToUInt64(line[7..].Trim(), 16);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return 0;
        }
    }
}
