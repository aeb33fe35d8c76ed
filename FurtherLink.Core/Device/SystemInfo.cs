using FurtherLink.Processes;

namespace FurtherLink.Device;

/// <summary>
/// What the device is and how busy it is, at one moment. What cannot be read is zero or empty: an answer about a device is never an error.
/// </summary>
/// <param name="CpuPercent">How busy all processors together were during the reading, 0 to 100.</param>
/// <param name="Memory">The memory.</param>
/// <param name="Disk">The file system of the home directory.</param>
/// <param name="Description">The operating system.</param>
public sealed record SystemInfo(double CpuPercent, MemoryUse Memory, DiskUse Disk, SystemDescription Description)
{
    /// <summary>Over which time the processors are watched.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromSeconds(0.1);

    /// <summary>Reads it, which takes <see cref="Interval"/>. Thread safe.</summary>
    /// <param name="user">Whose home and shell it tells.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="OperationCanceledException">It was told to end.</exception>
    public static Task<SystemInfo> ReadAsync(UserAccount user, TimeProvider time, CancellationToken cancellationToken = default) =>
        new SystemFiles("/").ReadAsync(user, time, cancellationToken);
}

/// <summary>How memory is used, in bytes, by proc_meminfo(5).</summary>
public sealed record MemoryUse
{
    /// <summary>All there is.</summary>
    public long Total { get; init; }

    /// <summary>What programs can have without swapping.</summary>
    public long Available { get; init; }

    /// <summary>What is not <see cref="Available"/>, of the total, 0 to 100.</summary>
    public double Percent { get; init; }

    /// <summary>What is neither free nor a cache that can be given up.</summary>
    public long Used { get; init; }

    /// <summary>What is used for nothing at all.</summary>
    public long Free { get; init; }

    /// <summary>What was used lately.</summary>
    public long Active { get; init; }

    /// <summary>What was not used lately.</summary>
    public long Inactive { get; init; }

    /// <summary>Buffers of block devices.</summary>
    public long Buffers { get; init; }

    /// <summary>Contents of files, and what the kernel can give up of its own.</summary>
    public long Cached { get; init; }

    /// <summary>Shared memory and tmpfs.</summary>
    public long Shared { get; init; }

    /// <summary>The kernel's own structures.</summary>
    public long Slab { get; init; }
}

/// <summary>How a file system is used, in bytes, by statvfs(3).</summary>
/// <param name="Total">Its size.</param>
/// <param name="Used">What is in use.</param>
/// <param name="Free">What users may still fill; what is kept for root is not in it.</param>
/// <param name="Percent">What is in use, of that and what is free, 0 to 100.</param>
public sealed record DiskUse(long Total, long Used, long Free, double Percent);

/// <summary>Which operating system there is, and what a user has of it.</summary>
/// <param name="Type">The kernel's name ("Linux").</param>
/// <param name="Version">The distribution's name for people, PRETTY_NAME of os-release(5).</param>
/// <param name="Architecture">The machine as uname(1) names it ("x86_64").</param>
/// <param name="Shell">The user's shell, a path.</param>
/// <param name="Home">The user's home directory.</param>
public sealed record SystemDescription(string Type, string Version, string Architecture, string Shell, string Home);
