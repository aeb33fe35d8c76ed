using Microsoft.Win32.SafeHandles;

namespace FurtherLink.Processes.Native;

/// <summary>A file descriptor of ours: closed once nobody uses it any more.</summary>
internal sealed class Descriptor : SafeHandleMinusOneIsInvalid
{
    public Descriptor(int number)
        : this(number, ownsHandle: true)
    {
    }

    private Descriptor(int number, bool ownsHandle)
        : base(ownsHandle) => SetHandle(number);

    /// <summary>One that stays open: a standard descriptor, which others use too.</summary>
    public static Descriptor Borrowed(int number) => new(number, ownsHandle: false);

    /// <summary>Takes a descriptor, moved out of the way of the standard ones.</summary>
    public static Descriptor AboveStandard(int number) => new(Libc.MoveAboveStandard(number));

    /// <summary>Takes what a call has returned.</summary>
    /// <exception cref="LibcException">It is -1.</exception>
    public static Descriptor Checked(int number, string call)
    {
        if (number < 0)
            throw LibcException.Last(call);
        return AboveStandard(number);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.Close(handle) == 0;
}
