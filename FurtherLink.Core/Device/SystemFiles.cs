using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using FurtherLink.Processes;

namespace FurtherLink.Device;

/// <summary>Reads <see cref="SystemInfo"/> from the files in which Linux tells it.</summary>
/// <param name="root">The directory that holds "proc" and "etc".</param>
internal sealed class SystemFiles(string root)
{
    /// <inheritdoc cref="SystemInfo.ReadAsync"/>
    public async Task<SystemInfo> ReadAsync(UserAccount user, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(time);
        var before = ReadProcessors();
        await Task.Delay(SystemInfo.Interval, time, cancellationToken).ConfigureAwait(false);
        return new SystemInfo(Busy(before, ReadProcessors()), ReadMemory(), ReadDisk(user.Home), Describe(user));
    }

    /// <summary>How busy the processors were between two readings, 0 to 100.</summary>
    internal static double Busy((long Idle, long Total) before, (long Idle, long Total) after)
    {
        var total = after.Total - before.Total;
        // The idle time of a processor that sleeps may run backwards a little: see iowait in proc_stat(5).
        var idle = Math.Max(after.Idle - before.Idle, 0);
        return before.Total == 0 ? 0 : Percent(total - idle, total);
    }

    /// <summary>Reads a value of os-release(5), its quotes and backslashes taken off.</summary>
    internal static string? Release(string text, string name)
    {
        foreach (var line in text.Split('\n'))
        {
            var value = line.Trim();
            if (!value.StartsWith(name, StringComparison.Ordinal) || value.Length <= name.Length || value[name.Length] != '=')
                continue;
            return Unquote(value[(name.Length + 1)..]);
        }

        return null;
    }

    /// <summary>Jiffies of all processors together, idle and in all, by proc_stat(5); zero where they cannot be read.</summary>
    private (long Idle, long Total) ReadProcessors()
    {
        var first = Read("proc/stat")?.Split('\n', 2)[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (first is not ["cpu", ..])
            return default;
        // user, nice, system, idle, iowait, irq, softirq, steal; what follows is in user and nice already.
        var times = first.Skip(1).Take(8).Select(static time => Math.Min(Number(time), long.MaxValue / 8)).ToArray();
        return times.Length < 4 ? default : (times[3] + times.ElementAtOrDefault(4), times.Sum());
    }

    private MemoryUse ReadMemory()
    {
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in (Read("proc/meminfo") ?? "").Split('\n'))
        {
            // "MemTotal:       24683620 kB"
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length >= 2)
                values[parts[0].TrimEnd(':')] = Math.Min(Number(parts[1]), long.MaxValue / 1024) * 1024;
        }

        long Of(string name) => values.GetValueOrDefault(name);
        var (total, free, buffers, cached) = (Of("MemTotal"), Of("MemFree"), Of("Buffers"), Of("Cached") + Of("SReclaimable"));
        // Kernels before 3.14 do not say what is available.
        var available = values.TryGetValue("MemAvailable", out var told) ? told : free + buffers + cached;
        return new MemoryUse
        {
            Total = total,
            Available = available,
            Percent = Percent(total - available, total),
            Used = Math.Max(total - free - buffers - cached, 0),
            Free = free,
            Active = Of("Active"),
            Inactive = Of("Inactive"),
            Buffers = buffers,
            Cached = cached,
            Shared = Of("Shmem"),
            Slab = Of("Slab"),
        };
    }

    private static DiskUse ReadDisk(string home)
    {
        try
        {
            var drive = new DriveInfo(home);
            var used = drive.TotalSize - drive.TotalFreeSpace;
            return new DiskUse(drive.TotalSize, used, drive.AvailableFreeSpace, Percent(used, used + drive.AvailableFreeSpace));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new DiskUse(0, 0, 0, 0);
        }
    }

    private SystemDescription Describe(UserAccount user)
    {
        var release = Read("etc/os-release") ?? Read("usr/lib/os-release") ?? "";
        var shell = user.Name == UserAccount.Current.Name ? Environment.GetEnvironmentVariable("SHELL") : null;
        return new SystemDescription(
            OperatingSystem.IsLinux() ? "Linux" : Environment.OSVersion.Platform.ToString(),
            Release(release, "PRETTY_NAME") ?? "",
            Architecture(),
            shell is { Length: > 0 } ? shell : user.Shell,
            user.Home);
    }

    private static string Architecture() => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "x86_64",
        System.Runtime.InteropServices.Architecture.X86 => "i686",
        System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
        System.Runtime.InteropServices.Architecture.Arm => "armv7l",
        System.Runtime.InteropServices.Architecture.Armv6 => "armv6l",
        System.Runtime.InteropServices.Architecture.S390x => "s390x",
        System.Runtime.InteropServices.Architecture.LoongArch64 => "loongarch64",
        System.Runtime.InteropServices.Architecture.Ppc64le => "ppc64le",
        System.Runtime.InteropServices.Architecture.RiscV64 => "riscv64",
        var other => other.ToString(),
    };

    private string? Read(string path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(root, path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static double Percent(long part, long whole) => whole <= 0 ? 0 : Math.Round(Math.Clamp(100.0 * part / whole, 0, 100), 1);

    private static string Unquote(string value)
    {
        if (value is not [('"' or '\'') and var quote, ..] || value.Length < 2 || value[^1] != quote)
            return value;
        var text = new StringBuilder(value.Length);
        for (var i = 1; i < value.Length - 1; i++)
        {
            if (quote == '"' && value[i] == '\\' && i + 1 < value.Length - 1)
                i++;
            text.Append(value[i]);
        }

        return text.ToString();
    }
}
