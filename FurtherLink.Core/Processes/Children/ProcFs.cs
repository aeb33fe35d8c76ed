using System.Buffers;
using System.Buffers.Text;
using System.IO.Enumeration;
using System.Runtime.Versioning;
using System.Text;
using FurtherLink.Processes.Native;

namespace FurtherLink.Processes.Children;

/// <summary>What /proc, proc(5), says of processes. A process that is gone, or hidden from this user, is simply not there.</summary>
[SupportedOSPlatform("linux")]
internal static class ProcFs
{
    /// <summary>The children of a process: of all its threads.</summary>
    public static List<int> ChildrenOf(int pid)
    {
        var children = new List<int>();
        try
        {
            foreach (var thread in Numbers($"/proc/{pid}/task"))
            {
                // Without CONFIG_PROC_CHILDREN no thread has the list.
                if (!ReadChildren(pid, thread, children))
                    return SearchChildrenOf(pid);
            }
        }
        catch (IOException)
        {
            // It has ended meanwhile.
        }

        return children;
    }

    /// <summary>The children of this process that it did not start: the kernel gives orphans to its first thread.</summary>
    /// <remarks>What the first thread has started itself is among them, so who they are has to be looked at still.</remarks>
    public static List<int> Adopted()
    {
        var self = Environment.ProcessId;
        var first = new List<int>();
        if (!ReadChildren(self, self, first))
            return SearchChildrenOf(self);
        // Whenever one of them is reaped while the list is read, the next may be left out: the same twice is the truth. Where it changes all the
        // time, what was in any of the lists has to do; who is left out of all of them is in the next.
        const int Reads = 4;
        var all = new HashSet<int>(first);
        for (var read = 1; read < Reads && first.Count > 0; read++)
        {
            var again = new List<int>();
            ReadChildren(self, self, again);
            if (first.SequenceEqual(again))
                return again;
            all.UnionWith(again);
            first = again;
        }

        return [.. all];
    }

    /// <summary>The children of a process, found by looking at every process: for kernels that keep no list.</summary>
    public static List<int> SearchChildrenOf(int pid) => [.. Processes().Where(other => Read(other) is { } entry && entry.Parent == pid)];

    /// <summary>The ids of all processes.</summary>
    public static IEnumerable<int> Processes() => Numbers("/proc");

    /// <summary>Looks at a process; null where it is gone.</summary>
    public static ProcEntry? Read(int pid)
    {
        Span<byte> buffer = stackalloc byte[1024];
        ReadOnlySpan<byte> text = buffer[..Libc.ReadFile($"/proc/{pid}/stat", buffer)];
        // The name stands in parentheses and may hold anything, these too; what follows the last one are numbers.
        var name = text.LastIndexOf((byte)')');
        if (name < 0 || text.Length < name + 4)
            return null;
        var state = (char)text[name + 2];
        var rest = text[(name + 4)..];
        const int GroupField = 1; // counted from the parent's id, which is field 4 of the line
        const int StartField = 18; // field 22
        var parent = 0;
        var group = 0;
        for (var field = 0; ; field++)
        {
            if (!Utf8Parser.TryParse(rest, out long value, out var length))
                return null;
            if (field == 0)
                parent = (int)value;
            else if (field == GroupField)
                group = (int)value;
            else if (field == StartField)
                return new ProcEntry(pid, parent, group, state is 'Z' or 'X', value);
            if (rest.Length <= length)
                return null;
            rest = rest[(length + 1)..];
        }
    }

    /// <summary>Whether a process was started with a variable of exactly this text ("NAME=value").</summary>
    public static bool HasVariable(int pid, string variable)
    {
        var wanted = Encoding.UTF8.GetBytes(variable + '\0');
        // ARG_MAX of a single string is 128 KiB; environments are a few KiB, and what is beyond 256 KiB is not looked at.
        var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            ReadOnlySpan<byte> text = buffer.AsSpan(0, Libc.ReadFile($"/proc/{pid}/environ", buffer));
            while (true)
            {
                var at = text.IndexOf(wanted);
                if (at <= 0)
                    return at == 0;
                if (text[at - 1] == 0)
                    return true;
                text = text[(at + 1)..];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool ReadChildren(int pid, int thread, List<int> children)
    {
        var path = $"/proc/{pid}/task/{thread}/children";
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            ReadOnlySpan<byte> text = buffer.AsSpan(0, Libc.ReadFile(path, buffer));
            if (text.IsEmpty)
                return File.Exists(path) || !Directory.Exists($"/proc/{pid}/task/{thread}");
            while (Utf8Parser.TryParse(text, out int child, out var length))
            {
                children.Add(child);
                text = text[Math.Min(length + 1, text.Length)..];
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static FileSystemEnumerable<int> Numbers(string directory) =>
        new(directory, static (ref FileSystemEntry entry) => int.Parse(entry.FileName), new EnumerationOptions { IgnoreInaccessible = true })
        {
            ShouldIncludePredicate = static (ref FileSystemEntry entry) => int.TryParse(entry.FileName, out _),
        };
}

/// <summary>A process at one moment.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Parent">Its parent's id.</param>
/// <param name="Group">Its process group.</param>
/// <param name="IsEnded">It has ended and waits for its parent to reap it.</param>
/// <param name="Start">When it started, in clock ticks since the system did: together with the id it names one process for ever.</param>
internal readonly record struct ProcEntry(int Pid, int Parent, int Group, bool IsEnded, long Start)
{
    /// <summary>Sends a signal to this process, and to no later one of the same id.</summary>
    [SupportedOSPlatform("linux")]
    public void Signal(int number)
    {
        // The descriptor stands for whoever had the id when it was opened; the start says whether that was the one meant.
        using var process = Libc.OpenProcess(Pid);
        if (process is not null && ProcFs.Read(Pid)?.Start == Start)
            Libc.SendSignal(process, number);
    }
}
