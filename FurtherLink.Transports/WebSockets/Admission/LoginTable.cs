using System.Buffers.Text;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Security;

namespace FurtherLink.Transports.WebSockets.Admission;

/// <summary>Who has logged in by a browser: its cookie holds a random id, which ends by itself, by logging out, or with what was shown for it. Thread safe.</summary>
/// <param name="time">The clock.</param>
internal sealed class LoginTable(TimeProvider time) : IDisposable
{
    // More browsers than a person has; who comes back has lost the cookie of one that goes.
    private const int MostOfOne = 20;
    private const int MostOfAll = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Login> _logins = new(StringComparer.Ordinal);
    private long _lastNumber;

    /// <summary>Logs somebody in.</summary>
    /// <param name="principal">Who.</param>
    /// <param name="lifetime">For how long at most.</param>
    /// <param name="user">Whose program has logged in, where it is on this device: browsers send a cookie to every port of a host, so that others may see it.</param>
    /// <returns>The id, for the cookie.</returns>
    /// <exception cref="LinkException"><see cref="FailureCode.Limited"/>: too many are logged in.</exception>
    public string Begin(ClaimsPrincipal principal, TimeSpan lifetime, uint? user = null)
    {
        var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var key = KeyOf(id);
        var login = new Login(principal, lifetime, user, time);
        Login? oldest;
        lock (_lock)
        {
            var same = _logins.Values.Where(other => other.Owner == login.Owner).ToList();
            oldest = same.Count >= MostOfOne ? same.MinBy(static other => other.Number) : null;
            if (oldest is null && _logins.Count >= MostOfAll)
            {
                login.Dispose();
                throw new LinkException(FailureCode.Limited, "too many are logged in");
            }

            login.Number = ++_lastNumber;
            _logins.Add(key, login);
        }

        oldest?.End();
        // Last, for it may have ended already.
        login.WhenEnded(() => Remove(key));
        return id;
    }

    /// <summary>Who an id is; null = nobody any more.</summary>
    /// <param name="id">The id.</param>
    /// <param name="user">Whose program shows it, where it is on this device; another's than has logged in is nobody.</param>
    public ClaimsPrincipal? Find(string id, uint? user = null)
    {
        lock (_lock)
            return Get(id, user) is { HasEnded: false } login ? login.Principal : null;
    }

    /// <summary>Logs an id out, and ends what it has opened.</summary>
    /// <param name="id">The id.</param>
    /// <param name="user">Whose program shows it, where it is on this device.</param>
    public void End(string id, uint? user = null)
    {
        Login? login;
        lock (_lock)
            login = Get(id, user);
        login?.End();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        List<Login> all;
        lock (_lock)
        {
            all = [.. _logins.Values];
            _logins.Clear();
        }

        all.ForEach(static login => login.Dispose());
    }

    // By its hash: how long it takes to find one tells nothing of the others.
    private static string KeyOf(string id) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(id)));

    private Login? Get(string id, uint? user) => _logins.TryGetValue(KeyOf(id), out var login) && login.User == user ? login : null;

    private void Remove(string key)
    {
        Login? login;
        lock (_lock)
            _logins.Remove(key, out login);
        login?.Dispose();
    }

    private sealed class Login : IDisposable
    {
        private readonly CancellationTokenSource _lifetime;
        private readonly CancellationTokenSource _ended;
        private readonly CancellationToken _token;

        public Login(ClaimsPrincipal principal, TimeSpan lifetime, uint? user, TimeProvider time)
        {
            User = user;
            var grant = Grant.Of(principal);
            _lifetime = new CancellationTokenSource(lifetime, time);
            _ended = CancellationTokenSource.CreateLinkedTokenSource(grant.Ended, _lifetime.Token);
            _token = _ended.Token;
            Owner = grant.Id;
            Principal = (grant with { Ended = _token }).ToPrincipal();
            // What else the application says of them stays.
            Principal.AddIdentities(principal.Identities);
        }

        public ClaimsPrincipal Principal { get; }

        public string Owner { get; }

        public uint? User { get; }

        public long Number { get; set; }

        public bool HasEnded => _token.IsCancellationRequested;

        public void WhenEnded(Action remove) => _token.UnsafeRegister(static remove => ((Action)remove!)(), remove);

        public void End()
        {
            try
            {
                _ended.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has ended by itself meanwhile.
            }
        }

        public void Dispose()
        {
            _lifetime.Dispose();
            _ended.Dispose();
        }
    }
}
