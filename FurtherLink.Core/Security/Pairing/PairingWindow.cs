using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Security.Tokens;

namespace FurtherLink.Security.Pairing;

/// <summary>A while in which one client may exchange a code that this device shows for a token of its own. Thread safe.</summary>
public sealed class PairingWindow
{
    /// <summary>How many wrong codes end it: 5 of 100 000 000.</summary>
    internal const int MostWrong = 5;

    private const int Digits = 8;

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<PairingOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _wrong;
    private bool _isTaken;

    internal PairingWindow(TokenTerms terms, DateTimeOffset ends)
    {
        Terms = terms;
        Ends = ends;
        var number = RandomNumberGenerator.GetInt32(100_000_000).ToString("D8", CultureInfo.InvariantCulture);
        Code = $"{number[..4]}-{number[4..]}";
    }

    /// <summary>What a client has to say, once: two groups of four digits ("1234-5678"). A secret: for the person at the device alone.</summary>
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

    /// <summary>Takes a code, which counts once; the fifth wrong one ends it.</summary>
    /// <returns>True where the caller makes the token, and ends it then.</returns>
    internal bool TryTake(string code)
    {
        var isOver = false;
        lock (_lock)
        {
            if (_isTaken)
                return false;
            if (IsCode(code))
                return _isTaken = true;
            isOver = ++_wrong >= MostWrong;
        }

        if (isOver)
            End(new PairingOutcome(PairingEnd.WrongCodes));
        return false;
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

        return CryptographicOperations.FixedTimeEquals(given[..count], Encoding.ASCII.GetBytes(Code.Remove(4, 1)));
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

    /// <summary>Too many wrong codes have come: somebody guesses.</summary>
    WrongCodes,

    /// <summary>Who opened it has closed it, or another was opened.</summary>
    Closed,

    /// <summary>A client has come with the code, but its token could not be kept.</summary>
    Failed,
}
