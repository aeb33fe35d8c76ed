namespace FurtherLink;

/// <summary>
/// What the programs of a runner may use, and whether they run apart from the rest of the device; see <see cref="LinkOptions.Profiles"/>. Nothing is limited
/// unless it is set.
/// </summary>
/// <remarks>
/// A program gets a control group (cgroups(7), version 2) where the server is a service of systemd's with Delegate=, or root, and alone in its own group;
/// one that runs as the server's own user could leave it. Elsewhere prlimit(1) holds each process by itself.
/// </remarks>
public sealed class RunProfile
{
    /// <summary>
    /// Bytes of memory that a program may use with all that it starts; who goes over is killed. Where it has no control group: bytes of address space that
    /// each process may have (setrlimit(2), RLIMIT_AS), where what it asks for beyond fails; runtimes that reserve more than they use, as Node and .NET,
    /// need gigabytes then. Null, the default = no limit; else at least 1 MiB.
    /// </summary>
    public long? Memory { get; set; }

    /// <summary>
    /// Processor time that each process may use (RLIMIT_CPU), in whole seconds, and in a control group all of a program's together; who goes on is ended.
    /// Null, the default = no limit; else at least 1 s.
    /// </summary>
    public TimeSpan? CpuTime { get; set; }

    /// <summary>
    /// How many processors' worth of time a program may take with all that it starts, such as 0.5 or 2; what wants more waits. A control group alone can
    /// hold programs to that: where they can have none with the controller "cpu", the server does not start. Null, the default = no limit; else at least 0.01.
    /// </summary>
    public double? Cpus { get; set; }

    /// <summary>
    /// How many processes and threads a program may have, itself included: one more cannot be started then. Where it has no control group, those of its user
    /// in all count (RLIMIT_NPROC), and programs of root, for whom the system does not count, are refused. Null, the default = no limit; else at least 1.
    /// </summary>
    public int? Processes { get; set; }

    /// <summary>
    /// How many files, sockets and the like each process may have open (RLIMIT_NOFILE); to open one more fails. Null, the default = as many as the server;
    /// else at least 16, with fewer hardly a program starts.
    /// </summary>
    public int? OpenFiles { get; set; }

    /// <summary>How long a program may run before it is ended as by a stop. Null, the default = no limit; else more than 0.</summary>
    public TimeSpan? WallTime { get; set; }

    /// <summary>
    /// Whether programs run apart (bubblewrap, which must be installed): they see the system read-only, no homes, no processes but their own, an empty
    /// directory for temporary files, and may write in their work directory alone; elsewhere in what is hidden they see the file that they run. A signal that ends one shows as exit code 128 and its number then.
    /// Default false.
    /// </summary>
    public bool Sandbox { get; set; }

    /// <summary>Whether programs that run apart may use the network. Default false.</summary>
    public bool Network { get; set; }

    /// <summary>Whether there is anything that a control group counts.</summary>
    internal bool LimitsUse => Memory is not null || CpuTime is not null || Cpus is not null || Processes is not null;
}
