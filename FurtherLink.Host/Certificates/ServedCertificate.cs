using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Certificates;

/// <summary>
/// The certificate that a running server shows. It is read again when its files are replaced, and the host's own is renewed in time; where that
/// fails, the one before stays. Thread safe.
/// </summary>
internal sealed partial class ServedCertificate
{
    /// <summary>How long files may have been replaced before a new connection notices.</summary>
    public static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly CertificateSource _source;
    private readonly TimeProvider _clock;
    private readonly ILogger<ServedCertificate> _logger;
    private readonly Lock _lock = new();
    private ServerCertificate _current;
    private string _stamp;
    private long _checkedAt;
    private string? _said;

    /// <summary>Begins.</summary>
    /// <param name="source">Where it comes from.</param>
    /// <param name="first">What came from there at the start.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Is told of what is replaced, and of what is wrong with it.</param>
    public ServedCertificate(CertificateSource source, ServerCertificate first, TimeProvider clock, ILogger<ServedCertificate> logger)
    {
        _source = source;
        _clock = clock;
        _logger = logger;
        _current = first;
        _stamp = first.Stamp;
        _checkedAt = clock.GetTimestamp();
        _said = first.Warning(clock);
    }

    /// <summary>The one to show. The files are looked at once a second at most.</summary>
    public ServerCertificate Current
    {
        get
        {
            lock (_lock)
            {
                if (_clock.GetElapsedTime(_checkedAt) >= CheckInterval)
                    Check();
                return _current;
            }
        }
    }

    private void Check()
    {
        _checkedAt = _clock.GetTimestamp();
        try
        {
            if ((_source.IsOwn && OwnCertificate.IsRunningOut(_current, _clock)) || _source.ReadStamp() != _stamp)
            {
                // Connections that are just being made may still need the one before: it is left to the collector.
                _current = _source.Load(_clock);
                _stamp = _current.Stamp;
                Log.Replaced(_logger, _current.Path, _current.Fingerprint);
            }

            Say(_current.Warning(_clock), static (logger, warning) => Log.Doubtful(logger, warning));
        }
        catch (SettingException e)
        {
            Say(e.Message, static (logger, mistake) => Log.Kept(logger, mistake));
        }
    }

    // Once, not each second.
    private void Say(string? words, Action<ILogger, string> log)
    {
        if (words is not null && words != _said)
            log(_logger, words);
        _said = words;
    }

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
