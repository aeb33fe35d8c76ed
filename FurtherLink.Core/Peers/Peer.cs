namespace FurtherLink.Peers;

/// <summary>One client.</summary>
public sealed class Peer;
