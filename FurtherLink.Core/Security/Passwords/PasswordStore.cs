using System.Security.Cryptography;
using System.Text;
using FurtherLink.Messages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FurtherLink.Security.Passwords;

/// <summary>
/// Knows people by the passwords of a file, which is followed. An unknown name takes as long as a known one. Thread safe.
/// </summary>
internal sealed partial class PasswordStore : IDisposable
{
    // Browsers and programs send no longer ones; bcrypt itself looks at 72 bytes.
    private const int Longest = 1024;

    // Who waits longer for a turn than this many take is better told so.
    private const int MostWaiting = 64;

    private readonly Lock _lock = new();
    private readonly FollowedGrants<Password> _grants;
    private readonly Dictionary<string, Task<bool>> _checks = new(StringComparer.Ordinal);
    // Made for the first password: the cryptography library takes a noticeable part of a server's start.
    private readonly Lazy<byte[]> _key = new(static () => RandomNumberGenerator.GetBytes(32));
    private readonly SemaphoreSlim _turns = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly LoginLimiter _limiter;
    private readonly PasswordFile? _file;
    private readonly Func<string, string, bool> _verify;
    private readonly ILogger _logger;
    private string[] _decoys = [];

    /// <summary>Makes it.</summary>
    /// <param name="limiter">Counts tries that fail.</param>
    /// <param name="options">Where the file is, and what its passwords allow.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it logs; null = nowhere.</param>
    /// <param name="verify">Whether a password is the one of a hash; null = by bcrypt.</param>
    public PasswordStore(
        LoginLimiter limiter, IOptions<AccessOptions> options, TimeProvider time, ILogger<PasswordStore>? logger = null, Func<string, string, bool>? verify = null)
    {
        _verify = verify ?? Bcrypt.Verify;
        _limiter = limiter;
        _file = options.Value.PasswordFile is { Length: > 0 } path ? new PasswordFile(Path.GetFullPath(path)) : null;
        var access = options.Value.PasswordAccess;
        _logger = logger ?? NullLogger<PasswordStore>.Instance;
        _grants = new FollowedGrants<Password>(time)
        {
            Stamp = () => _file?.Stamp(),
            Read = Read,
            Make = (name, _, ended) => new Grant(name, access) { Id = "password:" + name, Ended = ended },
            IsSame = static (one, other) => one.Hash == other.Hash,
        };
    }

    /// <summary>Whose password it is.</summary>
    /// <param name="shown">A name and a password.</param>
    /// <param name="caller">From where.</param>
    /// <param name="cancellationToken">Nobody waits for the answer any more.</param>
    /// <exception cref="LinkException">It is nobody's, or too many tries have failed.</exception>
    public async ValueTask<Grant> FindAsync(PasswordCredentials shown, Caller caller, CancellationToken cancellationToken)
    {
        if (_file is not null)
            _grants.Look();
        var proof = ProofOf(shown);
        if (Prepare(shown, proof, caller) is not var (known, check))
            throw Wrong();
        if (check is null)
            return known!.Grant;
        // What a name and a password that are shown many times at once are good for is found out once.
        var isRight = await check.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!isRight || known is null || known.Grant.Ended.IsCancellationRequested)
            throw Wrong();
        known.Entry.Proof = proof;
        return known.Grant;
    }

    /// <summary>Whether a name is one of the file: what may be repeated where somebody has shown a wrong password.</summary>
    public bool Knows(string name) => _grants.Find(name) is not null;

    /// <inheritdoc/>
    public void Dispose() => _grants.Dispose();

    private static LinkException Wrong() => new(FailureCode.Unauthenticated, "this name with this password counts for nothing here");

    /// <summary>Finds what there is to find out.</summary>
    /// <returns>Who it would be, and what tells whether it is: null where that is known. Nothing where it is nobody.</returns>
    private (FollowedGrants<Password>.Known? Known, Task<bool>? Check)? Prepare(PasswordCredentials shown, string proof, Caller caller)
    {
        lock (_lock)
        {
            var known = _grants.Find(shown.User);
            if (known is not null && known.Entry.Proof == proof)
                return (known, null);
            if (_checks.TryGetValue(proof, out var check))
                return (known, check);
            _limiter.Fail(caller);
            if (_file is null || shown.Password.Length > Longest || shown.Password.Contains('\0'))
                return null;
            if (_checks.Count >= MostWaiting)
                throw new LinkException(FailureCode.Limited, "too many passwords are being looked at: try again in a moment");
            check = CheckAsync(shown.Password, known?.Entry.Hash ?? DecoyFor(shown), known is not null, proof, caller);
            _checks.Add(proof, check);
            return (known, check);
        }
    }

    private async Task<bool> CheckAsync(string password, string hash, bool isKnown, string proof, Caller caller)
    {
        // Off the caller's thread, and not too many at once: that is work by intention.
        await _turns.WaitAsync().ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            var isRight = _verify(password, hash) && isKnown;
            if (isRight)
                _limiter.Forgive(caller);
            return isRight;
        }
        finally
        {
            _turns.Release();
            lock (_lock)
                _checks.Remove(proof);
        }
    }

    // By a key that nobody has: a hash of it would let others try passwords as fast as they can.
    private string ProofOf(PasswordCredentials shown) => Convert.ToHexString(HMACSHA256.HashData(_key.Value, Encoding.UTF8.GetBytes(shown.User + "\0" + shown.Password)));

    // One name is always as much work, and as much as one that is there.
    private string DecoyFor(PasswordCredentials shown) =>
        _decoys.Length == 0 ? Bcrypt.Decoy(10) : _decoys[Convert.ToInt32(ProofOf(shown with { Password = "" })[..4], 16) % _decoys.Length];

    private Dictionary<string, Password> Read()
    {
        IReadOnlyDictionary<string, string> hashes = new Dictionary<string, string>();
        try
        {
            hashes = _file?.Read() ?? hashes;
        }
        catch (PasswordFileException e)
        {
            // What cannot be trusted lets nobody in.
            Log.NotRead(_logger, e.Message);
        }

        _decoys = [.. hashes.Values.Select(static hash => Bcrypt.Decoy(Bcrypt.CostOf(hash)!.Value))];
        return hashes.ToDictionary(static pair => pair.Key, static pair => new Password(pair.Value), StringComparer.Ordinal);
    }

    /// <summary>A password of the file.</summary>
    /// <param name="hash">Its hash.</param>
    private sealed class Password(string hash)
    {
        public string Hash => hash;

        /// <summary>By what the right password is known again, without the work; null = it has not been shown yet.</summary>
        public string? Proof { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Passwords let nobody in: {Why}")]
        public static partial void NotRead(ILogger logger, string why);
    }
}
