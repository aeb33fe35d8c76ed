using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Security.Tokens;

namespace FurtherLink.Security.Pairing;

/// <summary>A while in which one client may exchange a code that this device shows for a token of its own. Thread safe.</summary>
public sealed class PairingWindow
{
    /// <summary>
    /// How many codes it looks at a minute, and at once: of those who have failed too often, and of all others. Together at most 72 000 in five minutes and
    /// 732 000 in an hour, of 10^12: who guesses finds it once in 13 or 1.3 million windows, whatever number of addresses is his. Nobody is counted by
    /// address, for others may have the same; and no number of wrong codes ends it, for then any stranger could.
    /// </summary>
    internal const int LooksPerMinute = 6000;

    private const int Digits = 12;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource<PairingOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PerMinute _ofFailed;
    private PerMinute _ofOthers;
    private bool _isTaken;

    internal PairingWindow(TokenTerms terms, TimeProvider time, TimeSpan length)
    {
        Terms = terms;
        _time = time;
        Ends = time.GetUtcNow() + length;
        _ofFailed = _ofOthers = PerMinute.Full(LooksPerMinute, time);
        var number = RandomNumberGenerator.GetString("0123456789", Digits);
        Code = $"{number[..4]}-{number[4..8]}-{number[8..]}";
    }

    /// <summary>What a client has to say, once: three groups of four digits ("1234-5678-9012"). A secret: for the person at the device alone.</summary>
    public string Code { get; }

    /// <summary>What the token will allow.</summary>
    public TokenTerms Terms { get; }

    /// <summary>When it is over at the latest.</summary>
    public DateTimeOffset Ends { get; }

    /// <summary>Completes when it is over, with how; never fails.</summary>
    public Task<PairingOutcome> Outcome => _outcome.Task;

    /// <summary>Ends it before its time. Nothing happens where it is over.</summary>
    public void Close() => End(new PairingOutcome(PairingEnd.Closed));

    /// <inheritdoc/>
    public override string ToString() => "a pairing window";

    /// <summary>Ends it.</summary>
    internal void End(PairingOutcome outcome)
    {
        lock (_lock)
            _isTaken = true;
        _outcome.TrySetResult(outcome);
    }

    /// <summary>Takes a code, which counts once.</summary>
    /// <param name="code">The code.</param>
    /// <param name="hasFailed">Whether who shows it has shown too many wrong ones.</param>
    /// <returns>True where the caller makes the token, and ends it then.</returns>
    /// <exception cref="LinkException"><see cref="FailureCode.Limited"/>: it has looked at too many just now.</exception>
    internal bool TryTake(string code, bool hasFailed)
    {
        lock (_lock)
        {
            if (_isTaken)
                return false;
            Count(ref hasFailed ? ref _ofFailed : ref _ofOthers);
            return _isTaken = IsCode(code);
        }
    }

    private void Count(ref PerMinute looks)
    {
        if (!looks.TryTake(LooksPerMinute, _time, out looks))
            throw new LinkException(FailureCode.Limited, "too many codes are being shown: try again in a moment") { RetryAfter = looks.Wait(LooksPerMinute) };
    }

    // People write it with or without what stands between the groups. However much of it is right, it takes the same time.
    private bool IsCode(string text)
    {
        if (text.Length > Digits * 2)
            return false;
        Span<byte> given = stackalloc byte[Digits * 2];
        var count = 0;
        foreach (var character in text)
        {
            if (char.IsAsciiDigit(character))
                given[count++] = (byte)character;
            else if (character is not ('-' or ' '))
                return false;
        }

        return CryptographicOperations.FixedTimeEquals(given[..count], Encoding.ASCII.GetBytes(Code.Replace("-", "", StringComparison.Ordinal)));
    }
}

/// <summary>How pairing has ended.</summary>
/// <param name="End">How.</param>
public sealed record PairingOutcome(PairingEnd End)
{
    /// <summary>The token that was given out, without its text; null = none.</summary>
    public TokenInfo? Token { get; init; }
}

/// <summary>Why a pairing window is over.</summary>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "It is no type of a collection.")]
public enum PairingEnd
{
    /// <summary>A client has come with the code, and has its token.</summary>
    Paired,

    /// <summary>Nobody has come in time.</summary>
    TimedOut,

    /// <summary>Who opened it has closed it, or another was opened.</summary>
    Closed,

    /// <summary>A client has come with the code, but its token could not be kept.</summary>
    Failed,
}
