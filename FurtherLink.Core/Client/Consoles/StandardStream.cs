using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.Versioning;
using FurtherLink.Processes;
using FurtherLink.Processes.Native;

namespace FurtherLink.Client.Consoles;

/// <summary>
/// A standard stream of this process, byte for byte: what System.Console does not give where it is a terminal, or where the other end is closed. Its
/// waiting is done by a thread of its own, so that nothing else waits. One call at a time.
/// </summary>
[SupportedOSPlatform("linux")]
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "Standard streams are what they are called.")]
public sealed class StandardStream : IDisposable
{
    private readonly BlockingCollection<Job> _jobs = [];
    private readonly Descriptor _descriptor;
    private readonly bool _isOpen;

    private StandardStream(int descriptor, string name)
    {
        _descriptor = Descriptor.Borrowed(descriptor);
        _isOpen = StandardStreams.IsOpen(descriptor);
        new Thread(Run) { IsBackground = true, Name = "FurtherLink " + name }.Start();
    }

    /// <summary>Standard input.</summary>
    public static StandardStream OpenInput() => new(0, "input");

    /// <summary>Standard output.</summary>
    public static StandardStream OpenOutput() => new(1, "output");

    /// <summary>Standard error.</summary>
    public static StandardStream OpenError() => new(2, "error");

    /// <summary>Reads what is there; waits while nothing is. It cannot be called off: who does not want to wait leaves it.</summary>
    /// <param name="buffer">Where it goes; must be kept until the end of the call.</param>
    /// <returns>The number of bytes; 0 = end, also where it was closed when this process was started.</returns>
    /// <exception cref="IOException">The system refuses.</exception>
    public Task<int> ReadAsync(Memory<byte> buffer) => RunAsync(() => Read(buffer.Span));

    /// <summary>Writes everything.</summary>
    /// <param name="data">The bytes; must be kept until the end of the call.</param>
    /// <returns>False where nobody reads it any more.</returns>
    /// <exception cref="IOException">The system refuses.</exception>
    public async Task<bool> WriteAsync(ReadOnlySequence<byte> data) => await RunAsync(() => Write(data) ? 1 : 0).ConfigureAwait(false) != 0;

    /// <summary>Lets its thread go once it waits no more. The stream stays open.</summary>
    public void Dispose() => _jobs.CompleteAdding();

    // Whoever started this process may have left a descriptor not blocking, as it is shared.
    private int Read(Span<byte> buffer)
    {
        var count = 0;
        while (_isOpen && (count = Libc.Read(_descriptor, buffer)) == Libc.WouldBlock)
            Libc.Poll(_descriptor, write: false);
        return count;
    }

    private bool Write(in ReadOnlySequence<byte> data)
    {
        if (!_isOpen)
            throw new IOException("it was closed when this command was started");
        foreach (var piece in data)
        {
            for (var rest = piece.Span; !rest.IsEmpty;)
            {
                var count = Libc.Write(_descriptor, rest);
                if (count == Libc.OtherEndClosed)
                    return false;
                if (count == Libc.WouldBlock)
                    Libc.Poll(_descriptor, write: true);
                else
                    rest = rest[count..];
            }
        }

        return true;
    }

    private Task<int> RunAsync(Func<int> work)
    {
        var job = new Job(work);
        _jobs.Add(job);
        return job.Done.Task;
    }

    private void Run()
    {
        foreach (var job in _jobs.GetConsumingEnumerable())
        {
            try
            {
                job.Done.SetResult(job.Work());
            }
            catch (IOException e)
            {
                job.Done.SetException(e);
            }
        }

        _jobs.Dispose();
    }

    private sealed record Job(Func<int> Work)
    {
        public TaskCompletionSource<int> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
