using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FurtherLink.Host.Configuration;
using FurtherLink.Messages;
using FurtherLink.Security;
using FurtherLink.Transports.WebSockets;

namespace FurtherLink.Host.Certificates;

/// <summary>
/// Lets clients in by their certificates. The authorities' file is read again when it is replaced: whose certificate is good no more then, or has
/// run out, is ended where it is connected. Thread safe.
/// </summary>
internal sealed partial class ClientCertificates : IDisposable
{
    /// <summary>How long a connection may outlive its certificate, or the authority's place in the file.</summary>
    public static readonly TimeSpan Patrol = TimeSpan.FromSeconds(10);

    // X.520's longest common name.
    private const int MaxName = 64;

    private readonly Reloaded<ClientAuthorities> _authorities;
    private readonly Access _access;
    private readonly TimeProvider _clock;
    private readonly ILogger<ClientCertificates> _logger;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();

    // A connection keeps its certificate; what nobody has any more goes by itself.
    private readonly ConditionalWeakTable<X509Certificate2, Admission> _admissions = [];

    /// <summary>Begins.</summary>
    /// <param name="file">The authorities' file.</param>
    /// <param name="authorities">What it held at the start.</param>
    /// <param name="access">What a client may do whose certificate is good.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Is told of what is replaced, and of what is wrong with it.</param>
    public ClientCertificates(SettingFile file, ClientAuthorities authorities, Access access, TimeProvider clock, ILogger<ClientCertificates> logger)
    {
        _authorities = new(authorities, ServedCertificate.CheckInterval, clock)
        {
            Read = current => file.Read() == current.Text ? current : ClientAuthorities.Load(file),
            Replaced = _ => Log.Replaced(logger, file.Path),
            Kept = mistake => Log.Kept(logger, mistake),
        };
        _access = access;
        _clock = clock;
        _logger = logger;
        _timer = clock.CreateTimer(_ => Check(), null, Patrol, Patrol);
    }

    /// <summary>The authorities that count now. The file is looked at once a second at most.</summary>
    public ClientAuthorities Authorities => _authorities.Current;

    /// <summary>Judges the certificate of a connection that is being made.</summary>
    /// <param name="certificate">It.</param>
    /// <param name="chain">What was built of it, and of what the client sent along.</param>
    public bool Accept(X509Certificate2 certificate, X509Chain? chain)
    {
        var authorities = Authorities;
        if (!authorities.Accept(certificate, chain?.ChainPolicy.ExtraStore ?? [], _clock.GetUtcNow()))
            return false;

        // The chain is gone after the handshake; its parts are judged again later.
        X509Certificate2Collection intermediates = [.. chain?.ChainElements.Skip(1).Select(static element => new X509Certificate2(element.Certificate)) ?? []];
        lock (_lock)
            _admissions.AddOrUpdate(certificate, new Admission(Grant(certificate), intermediates));
        return true;
    }

    /// <summary>Who sends a request, by the certificate of its connection.</summary>
    /// <returns>Null where it has none, or one that is good no more.</returns>
    public ClaimsPrincipal? PrincipalOf(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Connection.ClientCertificate is not { } certificate)
            return null;
        lock (_lock)
        {
            return _admissions.TryGetValue(certificate, out var admission) && !admission.Ended.IsCancellationRequested
                ? (admission.Grant with { Ended = admission.Ended.Token }).ToPrincipal()
                : null;
        }
    }

    /// <summary>Puts who sends a request into it, where its connection's certificate says that, and it says nothing itself.</summary>
    public Task IdentifyAsync(HttpContext context, RequestDelegate next)
    {
        if (!context.Request.ShowsCredentials() && PrincipalOf(context) is { } principal)
            context.User = principal;
        return next(context);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Check()
    {
        var authorities = Authorities;
        var now = _clock.GetUtcNow();
        List<Admission> ended = [];
        lock (_lock)
        {
            foreach (var (certificate, admission) in _admissions)
            {
                if (!admission.Ended.IsCancellationRequested && !IsGood(authorities, certificate, admission, now))
                    ended.Add(admission);
            }
        }

        foreach (var admission in ended)
        {
            Log.Ended(_logger, admission.Grant.Name);
            admission.Ended.Cancel();
        }
    }

    private static bool IsGood(ClientAuthorities authorities, X509Certificate2 certificate, Admission admission, DateTimeOffset now)
    {
        try
        {
            return authorities.Accept(certificate, admission.Intermediates, now);
        }
        catch (CryptographicException)
        {
            // Its connection has just ended, and the certificate with it.
            return false;
        }
    }

    private Grant Grant(X509Certificate2 certificate)
    {
        var name = string.Concat(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false).Where(static letter => !char.IsControl(letter)).Take(MaxName));
        return new Grant("cert:" + (name.Length > 0 ? name : certificate.GetCertHashString(HashAlgorithmName.SHA256)), _access);
    }

    private sealed record Admission(Grant Grant, X509Certificate2Collection Intermediates)
    {
        public CancellationTokenSource Ended { get; } = new();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Clients' certificates are now judged by what {Path} has become")]
        public static partial void Replaced(ILogger logger, string path);

        [LoggerMessage(LogLevel.Warning, "The authorities of clients' certificates are not read again, and those before go on counting. {Mistake}")]
        public static partial void Kept(ILogger logger, string mistake);

        [LoggerMessage(LogLevel.Information, "The certificate of {Name} is good no more")]
        public static partial void Ended(ILogger logger, string name);
    }
}
