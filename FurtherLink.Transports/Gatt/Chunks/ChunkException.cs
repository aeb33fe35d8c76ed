namespace FurtherLink.Transports.Gatt.Chunks;

/// <summary>A chunk is not one, or belongs to no message that is accepted. What was received before and other messages are not touched.</summary>
/// <param name="message">What is wrong with it.</param>
internal sealed class ChunkException(string message) : Exception(message);
