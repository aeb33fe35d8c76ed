namespace FurtherLink.Host.Certificates;

/// <summary>
/// The certificate that a running server shows. It is read again when its files are replaced, and the host's own is renewed in time; where that
/// fails, the one before stays. Thread safe.
/// </summary>
internal sealed partial class ServedCertificate
{
    /// <summary>How long files may have been replaced before a new connection notices.</summary>
    public static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly Reloaded<ServerCertificate> _files;

    /// <summary>Begins.</summary>
    /// <param name="source">Where it comes from.</param>
    /// <param name="first">What came from there at the start.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Is told of what is replaced, and of what is wrong with it.</param>
    public ServedCertificate(CertificateSource source, ServerCertificate first, TimeProvider clock, ILogger<ServedCertificate> logger) => _files = new(first, CheckInterval, clock)
    {
        // Connections that are just being made may still need the one before: it is left to the collector.
        Read = current => (source.IsOwn && OwnCertificate.IsRunningOut(current, clock)) || source.ReadStamp() != current.Stamp ? source.Load(clock) : current,
        Replaced = next => Log.Replaced(logger, next.Path, next.Fingerprint),
        Kept = mistake => Log.Kept(logger, mistake),
        Doubt = (current => current.Warning(clock), warning => Log.Doubtful(logger, warning)),
        Said = first.Warning(clock),
    };

    /// <summary>The one to show. The files are looked at once a second at most.</summary>
    public ServerCertificate Current => _files.Current;

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "New connections are shown another certificate: {Path}, SHA-256 {Fingerprint}")]
        public static partial void Replaced(ILogger logger, string path, string fingerprint);

        [LoggerMessage(LogLevel.Warning, "The certificate is not read again, and the one before goes on being shown. {Mistake}")]
        public static partial void Kept(ILogger logger, string mistake);

        [LoggerMessage(LogLevel.Warning, "{Warning}")]
        public static partial void Doubtful(ILogger logger, string warning);
    }
}
