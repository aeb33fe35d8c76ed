using System.Collections.Concurrent;
using System.Diagnostics;
using FurtherLink.Tests.Support;

namespace FurtherLink.Tests.Gatt.Support;

/// <summary>A message bus of a test's own, in place of the system's.</summary>
internal sealed class PrivateBus : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Process _daemon;

    private PrivateBus(string folder, Process daemon, string address)
    {
        _folder = folder;
        _daemon = daemon;
        Address = address;
    }

    /// <summary>Where it is: what DBUS_SYSTEM_BUS_ADDRESS would say.</summary>
    public string Address { get; }

    /// <summary>Starts one; skips the test where this machine has no dbus-daemon.</summary>
    public static async Task<PrivateBus> StartAsync()
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(static folder => File.Exists(Path.Combine(folder, "dbus-daemon"))))
            Assert.Ignore("A message bus needs the program dbus-daemon, which this machine does not have (Debian's package dbus-daemon).");
        var folder = Directory.CreateTempSubdirectory("fl-bus-").FullName;
        var config = Path.Combine(folder, "bus.conf");
        // Everybody of this user may do everything; of the type "session", as that of the system asks for more open files than it may have.
        await File.WriteAllTextAsync(config, $"""
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig>
              <type>session</type>
              <listen>unix:path={folder}/bus</listen>
              <auth>EXTERNAL</auth>
              <policy context="default">
                <allow send_destination="*" eavesdrop="true"/>
                <allow eavesdrop="true"/>
                <allow own="*"/>
              </policy>
            </busconfig>
            """);
        var daemon = Process.Start(new ProcessStartInfo("dbus-daemon", ["--nofork", "--nopidfile", "--nosyslog", "--print-address=1", $"--config-file={config}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        // It complains of the files that it may open, and runs all the same.
        var complaints = new ConcurrentQueue<string?>();
        daemon.ErrorDataReceived += (_, line) => complaints.Enqueue(line.Data);
        daemon.BeginErrorReadLine();
        var address = await daemon.StandardOutput.ReadLineAsync().WaitAsync(Patience.Long);
        Assert.That(address, Does.StartWith("unix:"), $"what dbus-daemon says first, after {string.Join(' ', complaints)}");
        return new PrivateBus(folder, daemon, address!);
    }

    public async ValueTask DisposeAsync()
    {
        _daemon.Kill();
        await _daemon.WaitForExitAsync();
        _daemon.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
