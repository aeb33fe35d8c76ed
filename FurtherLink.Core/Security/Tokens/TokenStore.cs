using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Security.Auditing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FurtherLink.Security.Tokens;

/// <summary>
/// The tokens that this device has given out: makes, lists and revokes them, and knows them again. What another process changes in their file counts at
/// once for who comes, and within two seconds for who is there. Thread safe.
/// </summary>
public sealed partial class TokenStore : IDisposable
{
    private const string Prefix = "fl_";
    private const int SecretBytes = 32;
    private const int LongestName = 100;

    private readonly FollowedGrants<TokenRecord> _grants;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TokenFile? _file;
    private readonly AuditLog? _audit;

    /// <summary>Makes it.</summary>
    /// <param name="options">Where the file is.</param>
    /// <param name="time">The clock; null = the system's.</param>
    /// <param name="logger">Where it logs; null = nowhere.</param>
    /// <param name="audit">Is told which are made and revoked here; null = nobody.</param>
    public TokenStore(IOptions<AccessOptions> options, TimeProvider? time = null, ILogger<TokenStore>? logger = null, AuditLog? audit = null)
    {
        _audit = audit;
        ArgumentNullException.ThrowIfNull(options);
        _time = time ?? TimeProvider.System;
        _logger = logger ?? NullLogger<TokenStore>.Instance;
        _file = options.Value.TokenFile is { Length: > 0 } path ? new TokenFile(Path.GetFullPath(path)) : null;
        _grants = new FollowedGrants<TokenRecord>(_time)
        {
            Stamp = () => _file?.Stamp(),
            Read = Read,
            Make = static (_, record, ended) => new Grant(record.Info.Name, record.Info.Access)
            {
                Id = "token:" + record.Info.Id,
                Users = record.Info.Users,
                SeesOthers = record.Info.SeesOthers,
                Ended = ended,
            },
            IsSame = static (one, other) => one.Info.AllowsSameAs(other.Info),
            Ends = static record => record.Info.Expires,
        };
    }

    /// <summary>All that count, the oldest first; expired ones too, until they are revoked.</summary>
    /// <exception cref="TokenFileException">Their file cannot be read.</exception>
    public IReadOnlyList<TokenInfo> List() => [.. (_file?.Read() ?? []).Select(static record => record.Info).OrderBy(static info => info.Created)];

    /// <summary>Makes one.</summary>
    /// <param name="name">What people call it: 1 to 100 characters that can be seen.</param>
    /// <param name="access">What it allows; more than nothing.</param>
    /// <returns>The token, whose text is nowhere else.</returns>
    /// <exception cref="LinkException">The name is none or taken, or tokens are not kept here.</exception>
    /// <exception cref="TokenFileException">Their file cannot be read or written.</exception>
    public NewToken Add(string name, Access access) => Add(name, new TokenTerms(access));

    /// <summary>Makes one.</summary>
    /// <param name="name">What people call it: 1 to 100 characters that can be seen.</param>
    /// <param name="terms">What it allows.</param>
    /// <returns>The token, whose text is nowhere else.</returns>
    /// <exception cref="LinkException">The name is none or taken, or tokens are not kept here.</exception>
    /// <exception cref="TokenFileException">Their file cannot be read or written.</exception>
    public NewToken Add(string name, TokenTerms terms)
    {
        ArgumentNullException.ThrowIfNull(terms);
        if (terms.Access is Access.None)
            throw new ArgumentOutOfRangeException(nameof(terms), terms, "It must allow more than nothing.");
        DemandName(name);
        DemandFile();
        var text = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        var info = new TokenInfo(RandomNumberGenerator.GetHexString(12, lowercase: true), name, terms.Access, _time.GetUtcNow())
        {
            Users = terms.Users,
            SeesOthers = terms.SeesOthers,
            Expires = terms.Expires,
        };
        _file.Change(records => records.Any(record => record.Info.Name == name)
            ? throw new LinkException(FailureCode.AlreadyExists, $"there is a token \"{name}\" already: revoke it first, or take another name")
            : [.. records, new TokenRecord(info, HashOf(text))]);
        Tell("tokenAdded", info);
        return new NewToken(text, info);
    }

    /// <summary>Ends one: it lets nobody in any more, and who came by it is disconnected.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>False where there is none of this name.</returns>
    /// <exception cref="TokenFileException">Their file cannot be read or written.</exception>
    public bool Revoke(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        TokenInfo? found = null;
        _file?.Change(records =>
        {
            found = records.FirstOrDefault(record => record.Info.Name == name)?.Info;
            return [.. records.Where(record => record.Info.Name != name)];
        });
        _grants.Look();
        if (found is not null)
            Tell("tokenRevoked", found);
        return found is not null;
    }

    /// <inheritdoc/>
    public void Dispose() => _grants.Dispose();

    /// <summary>Refuses what is no name for a token.</summary>
    /// <exception cref="LinkException">It is none.</exception>
    internal static void DemandName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!IsName(name))
            throw new LinkException(FailureCode.BadValue, $"a token's name must have 1 to {LongestName} characters, all of which can be seen, and no space around it");
    }

    /// <summary>Whether people can tell it from every other: of two names that look alike, nobody could tell which one to revoke.</summary>
    internal static bool IsName(string name) => name.Length is > 0 and <= LongestName && name.Trim().Length == name.Length && !name.EnumerateRunes().Any(IsUnseen);

    // A half of a pair comes out as the replacement character, as which it would be kept.
    private static bool IsUnseen(Rune letter) => letter == Rune.ReplacementChar || (letter.Value != ' ' && Rune.GetUnicodeCategory(letter)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);

    /// <summary>Refuses to make tokens where there is no place to keep them.</summary>
    /// <exception cref="LinkException">There is none.</exception>
    [MemberNotNull(nameof(_file))]
    internal void DemandFile()
    {
        if (_file is null)
            throw new LinkException(FailureCode.NotSupported, "tokens are not kept here: the setting TokenFile says where");
    }

    /// <summary>What a token allows; null where it counts for nothing.</summary>
    internal Grant? Find(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (_file is null)
            return null;
        _grants.Look();
        // Found by its hash, of which nobody can choose even the first digit: how long that takes tells nothing of a token.
        return _grants.Find(HashOf(text))?.Grant;
    }

    private void Tell(string what, TokenInfo info)
    {
        // Who may write to the file is this process's user.
        var user = OperatingSystem.IsLinux() ? UserAccount.Current.Name : Environment.UserName;
        _audit?.Write(new AuditEvent(what) { Who = user, Id = "user:" + user, Token = info.Name, Access = info.Access });
    }

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private Dictionary<string, TokenRecord> Read()
    {
        try
        {
            return (_file?.Read() ?? []).ToDictionary(static record => record.Hash, StringComparer.Ordinal);
        }
        catch (TokenFileException e)
        {
            // What cannot be trusted lets nobody in.
            Log.NotRead(_logger, e.Message);
            return [];
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Tokens let nobody in: {Why}")]
        public static partial void NotRead(ILogger logger, string why);
    }
}
