namespace FurtherLink.Security.Passwords;

/// <summary>The file of the passwords cannot be used; the message names it and says why.</summary>
/// <param name="message">Why.</param>
/// <param name="inner">What it comes from.</param>
internal sealed class PasswordFileException(string message, Exception? inner = null) : Exception(message, inner);
