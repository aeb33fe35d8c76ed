using System.Globalization;
using FurtherLink.Messages;
using FurtherLink.Security.Auditing;
using FurtherLink.Security.Tokens;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FurtherLink.Security.Pairing;

/// <summary>Gives tokens to clients that can say the code which this device shows for a while. There is one window at a time. Thread safe.</summary>
public sealed partial class PairingDesk : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TokenStore _tokens;
    private readonly LoginLimiter _limiter;
    private readonly IPairingDisplay[] _displays;
    private readonly AuditLog? _audit;
    private readonly TimeSpan _length;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private PairingWindow? _window;

    internal PairingDesk(
        TokenStore tokens, LoginLimiter limiter, IEnumerable<IPairingDisplay> displays, IOptions<AccessOptions> options, TimeProvider time, ILogger<PairingDesk>? logger = null,
        AuditLog? audit = null)
    {
        _audit = audit;
        _tokens = tokens;
        _limiter = limiter;
        _displays = [.. displays];
        _length = options.Value.PairingTime;
        _time = time;
        _logger = logger ?? NullLogger<PairingDesk>.Instance;
        _timer = time.CreateTimer(static state => ((PairingDesk)state!).OnTime(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether a code would count now.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_lock)
                return _window is { Outcome.IsCompleted: false };
        }
    }

    /// <summary>Opens a window for <see cref="AccessOptions.PairingTime"/>; one that is open is closed.</summary>
    /// <param name="terms">What the token will allow.</param>
    /// <exception cref="LinkException">Tokens are not kept here.</exception>
    public PairingWindow Open(TokenTerms terms)
    {
        ArgumentNullException.ThrowIfNull(terms);
        if (terms.Access is Access.None)
            throw new ArgumentOutOfRangeException(nameof(terms), terms, "It must allow more than nothing.");
        _tokens.DemandFile();
        var window = new PairingWindow(terms, _time, _length);
        PairingWindow? before;
        lock (_lock)
        {
            (before, _window) = (_window, window);
            _timer.Change(_length, Timeout.InfiniteTimeSpan);
        }

        before?.Close();
        Log.Opened(_logger, (int)_length.TotalSeconds);
        foreach (var display in _displays)
            display.Show(window);
        return window;
    }

    /// <summary>Exchanges a code for a token.</summary>
    /// <param name="code">The code that a window has shown, with or without what separates its groups.</param>
    /// <param name="name">What the token is to be called; a number is added where there is one of this name.</param>
    /// <param name="caller">From where it comes.</param>
    /// <param name="cancellationToken">Nobody waits for the answer any more.</param>
    /// <returns>The token, whose text is nowhere else.</returns>
    /// <exception cref="LinkException">
    /// <see cref="FailureCode.Unauthenticated"/>: the code is wrong, or there is no window; <see cref="FailureCode.Limited"/>: it was not looked at, or is wrong
    /// as too many before it;
    /// <see cref="FailureCode.BadValue"/>: that is no name for a token; <see cref="FailureCode.Failed"/>: the token cannot be kept.
    /// </exception>
    public async Task<NewToken> PairAsync(string code, string name, Caller caller, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(caller);
        TokenStore.DemandName(name);
        PairingWindow? window;
        lock (_lock)
            window = _window;
        // The right one counts however many others fail from the same address: nobody can be locked out.
        if (window?.TryTake(code, hasFailed: _limiter.WaitOf(caller) > TimeSpan.Zero) != true)
        {
            _limiter.Fail(caller);
            Log.Refused(_logger, caller.Address);
            _audit?.Write(new AuditEvent("refused") { From = caller.Address, Why = "a code for pairing that counts for nothing" });
            throw new LinkException(
                FailureCode.Unauthenticated, "this code counts for nothing here: it is wrong or used, or its time is over; \"furtherlink pair\" on the device shows a new one");
        }

        // It waits for the disk.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            var token = Add(name, window.Terms);
            Log.Paired(_logger, token.Info.Name, caller.Address);
            _audit?.Write(new AuditEvent("paired") { Who = token.Info.Name, Id = "token:" + token.Info.Id, From = caller.Address, Access = token.Info.Access });
            window.End(new PairingOutcome(PairingEnd.Paired) { Token = token.Info });
            return token;
        }
        catch (TokenFileException e)
        {
            Log.NotKept(_logger, e.Message);
            throw new LinkException(FailureCode.Failed, "the token cannot be kept; the server's log says why");
        }
        finally
        {
            // Nothing where it has gone well: it has one end.
            window.End(new PairingOutcome(PairingEnd.Failed));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        PairingWindow? window;
        lock (_lock)
            (window, _window) = (_window, null);
        window?.Close();
    }

    private NewToken Add(string name, TokenTerms terms)
    {
        for (var number = 2; ; number++)
        {
            try
            {
                return _tokens.Add(number == 2 ? name : string.Create(CultureInfo.InvariantCulture, $"{name[..Math.Min(name.Length, 90)]}-{number - 1}"), terms);
            }
            catch (LinkException e) when (e.Code is FailureCode.AlreadyExists && number < 1000)
            {
                // The next number.
            }
        }
    }

    private void OnTime()
    {
        PairingWindow? window;
        lock (_lock)
        {
            // A timer may run a little late for the window after the one it was set for.
            if (_window is null || _window.Ends > _time.GetUtcNow())
                return;
            (window, _window) = (_window, null);
        }

        window.End(new PairingOutcome(PairingEnd.TimedOut));
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "A client may be paired for {Seconds} s")]
        public static partial void Opened(ILogger logger, int seconds);

        [LoggerMessage(LogLevel.Information, "A client is paired: token \"{Name}\", from {Address}")]
        public static partial void Paired(ILogger logger, string name, string address);

        [LoggerMessage(LogLevel.Debug, "A client from {Address} has shown a code that counts for nothing")]
        public static partial void Refused(ILogger logger, string address);

        [LoggerMessage(LogLevel.Error, "A client cannot be paired: {Why}")]
        public static partial void NotKept(ILogger logger, string why);
    }
}
