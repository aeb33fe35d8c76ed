namespace FurtherLink.Transports.Gatt.Bluez;

/// <summary>The kernel's switch for radios (linux/rfkill.h).</summary>
internal static class Rfkill
{
    private const string Device = "/dev/rfkill";

    /// <summary>Takes the block of software from all Bluetooth radios, where this user may.</summary>
    public static void Unblock()
    {
        // struct rfkill_event: an index of 4 bytes, the type (2: Bluetooth), the operation (3: all of the type), blocked by software, by hardware.
        ReadOnlySpan<byte> unblock = [0, 0, 0, 0, 2, 3, 0, 0];
        try
        {
            using var device = new FileStream(Device, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            device.Write(unblock);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No switch, or not ours: powering the adapter on says what there is to say.
        }
    }
}
