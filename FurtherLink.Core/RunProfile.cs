namespace FurtherLink;

/// <summary>
/// What the programs of a runner may use, and whether they run apart from the rest of the device; see <see cref="LinkOptions.Profiles"/>. Nothing is limited
/// unless it is set.
/// </summary>
public sealed class RunProfile
{
    /// <summary>
    /// Bytes of address space that each process may have (setrlimit(2), RLIMIT_AS): what it asks for beyond fails. Runtimes that reserve more than they
    /// use, as Node and .NET, need gigabytes. Null, the default = no limit; else at least 1 MiB.
    /// </summary>
    public long? Memory { get; set; }

    /// <summary>
    /// Processor time that each process may use (RLIMIT_CPU), in whole seconds; who goes on is ended. Null, the default = no limit; else at least 1 s.
    /// </summary>
    public TimeSpan? CpuTime { get; set; }

    /// <summary>
    /// How many processes and threads the program's user may have in all (RLIMIT_NPROC): one more cannot be started then. Not for programs of root, for
    /// whom the system does not count: they are refused. Null, the default = no limit; else at least 1.
    /// </summary>
    public int? Processes { get; set; }

    /// <summary>How long a program may run before it is ended as by a stop. Null, the default = no limit; else more than 0.</summary>
    public TimeSpan? WallTime { get; set; }

    /// <summary>
    /// Whether programs run apart (bubblewrap, which must be installed): they see the system read-only, no homes, no processes but their own, an empty
    /// directory for temporary files, and may write in their work directory alone. A signal that ends one shows as exit code 128 and its number then.
    /// Default false.
    /// </summary>
    public bool Sandbox { get; set; }

    /// <summary>Whether programs that run apart may use the network. Default false.</summary>
    public bool Network { get; set; }

    /// <summary>Whether there is anything that a control group counts.</summary>
    internal bool LimitsUse => Memory is not null || CpuTime is not null || Processes is not null;
}
