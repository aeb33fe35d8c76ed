using FurtherLink.Messages;

namespace FurtherLink.Transports.Stdio;

/// <summary>How a process serves its standard input and output.</summary>
public sealed class StdioOptions
{
    private Access _access = Access.Own;

    /// <summary>Where lines come from; the owner disposes it. Null, the default = standard input.</summary>
    public Stream? Input { get; set; }

    /// <summary>Where lines go; the owner disposes it. Null, the default = standard output, to which nothing else may write then: logs go to standard error.</summary>
    public Stream? Output { get; set; }

    /// <summary>What the client may do; it could have started this process, so by default it may own.</summary>
    public Access Access
    {
        get => _access;
        set => _access = value is > Access.None and <= Access.Own ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "View, Drive or Own.");
    }

    /// <summary>Whether the application stops when the client's input has ended and everything has been said. Default true.</summary>
    public bool StopsApplication { get; set; } = true;
}
