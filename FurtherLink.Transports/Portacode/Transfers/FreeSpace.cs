using FurtherLink.Messages;

namespace FurtherLink.Transports.Portacode.Transfers;

/// <summary>Looks before something large is written whether the disk has room for it.</summary>
/// <param name="measure">Free bytes of the file system that a folder is on; null = asks the system.</param>
internal sealed class FreeSpace(Func<string, long>? measure = null)
{
    // What runs on the device needs room too.
    private const long Reserve = 16 << 20;

    private readonly Func<string, long> _measure = measure ?? (static folder => new DriveInfo(folder).AvailableFreeSpace);

    /// <summary>Refuses what does not fit.</summary>
    /// <param name="folder">Where it goes; it must be there.</param>
    /// <param name="needed">Bytes.</param>
    /// <exception cref="LinkException">There is less.</exception>
    public void Demand(string folder, long needed)
    {
        var free = _measure(folder);
        if (free - Reserve < needed)
        {
            throw new LinkException(
                FailureCode.Limited, $"Not enough free space in {folder}: {needed} bytes are needed beside a reserve of {Reserve}, {free} are free");
        }
    }
}
