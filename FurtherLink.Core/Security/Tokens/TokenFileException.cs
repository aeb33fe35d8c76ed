namespace FurtherLink.Security.Tokens;

/// <summary>The file of the tokens cannot be used; the message names it and says why.</summary>
/// <param name="message">Why.</param>
/// <param name="inner">What it comes from.</param>
public sealed class TokenFileException(string message, Exception? inner = null) : Exception(message, inner);
