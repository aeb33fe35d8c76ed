namespace FurtherLink.Messages;

/// <summary>Who has started a program, for the audit log.</summary>
/// <param name="Name">Who, for people.</param>
/// <param name="Id">Who, for good, see <see cref="Security.Grant.Id"/>.</param>
/// <param name="Address">From where.</param>
/// <param name="Connection">The connection's id.</param>
internal sealed record Starter(string Name, string Id, string Address, string Connection);
