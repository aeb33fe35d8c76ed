using System.Diagnostics.CodeAnalysis;
using FurtherLink.Messages;

namespace FurtherLink.Client;

/// <summary>A server cannot be reached, or a connection to it is lost for good.</summary>
/// <param name="message">Why, in words for people.</param>
/// <param name="inner">What it is made of.</param>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "It always says why.")]
public sealed class LinkConnectException(string message, Exception? inner = null) : LinkException(FailureCode.Failed, message, inner)
{
    /// <summary>Whether trying again cannot help: a certificate that is not the expected one, access denied. Default false.</summary>
    public bool IsFinal { get; init; }

    /// <summary>A token is not sent on a way that others can read along.</summary>
    internal static LinkConnectException NotPrivate(string target) =>
        new($"{target}: a token is not sent where others can read it; the address must begin with wss://") { IsFinal = true };
}
