using System.Globalization;
using FurtherLink.Holding;
using FurtherLink.Host.Commands;
using FurtherLink.Host.Configuration;
using FurtherLink.Processes;

namespace FurtherLink.Host.Serving;

/// <summary>
/// The one server of a state directory that holds sessions: it has the lock, and says which process it is. Disposing gives both back.
/// </summary>
internal sealed class RunningServer : IDisposable
{
    private readonly string _state;
    private readonly FileStream _lock;

    private RunningServer(string state, FileStream held)
    {
        _state = state;
        _lock = held;
    }

    /// <summary>Takes the place of the server of a state directory.</summary>
    /// <param name="state">The state directory, which is made where it is missing.</param>
    /// <param name="why">Where that cannot be: why, in words.</param>
    /// <returns>Null where it cannot be.</returns>
    public static RunningServer? TryTake(string state, out string why)
    {
        why = "";
        if (!HoldFiles.Fits(state))
        {
            why = $"the path of {state} is too long for a socket in it; say a shorter one with --state-dir";
            return null;
        }

        try
        {
            StateDirectory.Prepare(state);
            return new RunningServer(state, new FileStream(HoldFiles.ServerLock(state), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (SettingException e)
        {
            why = e.Message;
        }
        catch (IOException)
        {
            why = $"another server uses {state}; say another directory with --state-dir";
        }

        return null;
    }

    /// <summary>Who the server of a state directory is.</summary>
    /// <returns>Null where none runs.</returns>
    public static Identity? Find(string state)
    {
        try
        {
            // Nobody has it who could be found.
            using var free = new FileStream(HoldFiles.ServerLock(state), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
        catch (IOException)
        {
            return Read(state);
        }
    }

    /// <summary>Tells that it listens.</summary>
    /// <param name="taken">How many sessions it has taken back.</param>
    /// <param name="socket">The path of its Unix domain socket; null = none.</param>
    public void Announce(int taken, string? socket = null)
    {
        var next = HoldFiles.Server(_state) + ".new";
        File.WriteAllText(next, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n{Guid.NewGuid()}\n{taken}\n{socket}\n"));
        File.Move(next, HoldFiles.Server(_state), overwrite: true);
    }

    /// <summary>Says where the holder of this server is, and how it is started: with the options of this process.</summary>
    /// <param name="holder">What is told.</param>
    /// <param name="command">The command that this process carries out.</param>
    public void Configure(HolderOptions holder, string command)
    {
        holder.Socket = HoldFiles.Socket(_state);
        string[] hold = command == ConnectCommand.Name ? [HoldCommand.Name, HoldCommand.Device] : [HoldCommand.Name];
        var options = Environment.GetCommandLineArgs().Skip(1).SkipWhile(argument => argument == command);
        holder.Launch = () => OwnProgram.StartDetached([.. hold, .. options], HoldFiles.Log(_state));
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static Identity? Read(string state)
    {
        try
        {
            var lines = File.ReadAllLines(HoldFiles.Server(state));
            return lines.Length >= 3 && int.TryParse(lines[0], CultureInfo.InvariantCulture, out var pid) && int.TryParse(lines[2], CultureInfo.InvariantCulture, out var taken)
                ? new Identity(pid, lines[1], taken) { Socket = lines.Length > 3 && lines[3].Length > 0 ? lines[3] : null }
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Who a server is.</summary>
    /// <param name="Pid">Its process id.</param>
    /// <param name="Run">Another text for each run, also of one process.</param>
    /// <param name="Taken">How many sessions it took back when it started.</param>
    public sealed record Identity(int Pid, string Run, int Taken)
    {
        /// <summary>The path of its Unix domain socket; null = it has none.</summary>
        public string? Socket { get; init; }
    }
}
