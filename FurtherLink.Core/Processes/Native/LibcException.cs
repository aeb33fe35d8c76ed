using System.Runtime.InteropServices;

namespace FurtherLink.Processes.Native;

/// <summary>The operating system refused a call, for a reason that its caller does not expect.</summary>
/// <param name="call">The call ("pipe2").</param>
/// <param name="errno">Its errno.</param>
internal sealed class LibcException(string call, int errno) : IOException($"{call}: {Marshal.GetPInvokeErrorMessage(errno)}")
{
    /// <summary>The errno.</summary>
    public int Errno { get; } = errno;

    /// <summary>What the last call on this thread failed with.</summary>
    public static LibcException Last(string call) => new(call, Marshal.GetLastPInvokeError());
}
