namespace FurtherLink.Messages;

/// <summary>The result of "auth.login": who the client is now, and what it may do.</summary>
/// <param name="Name">Who.</param>
/// <param name="Access">What.</param>
public sealed record AuthAnswer(string Name, Access Access);
