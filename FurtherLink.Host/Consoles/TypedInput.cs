using System.Threading.Channels;
using FurtherLink.Client;
using FurtherLink.Client.Consoles;
using FurtherLink.Messages;

namespace FurtherLink.Host.Consoles;

/// <summary>
/// What a person types, on its way to a program. It is always read, so that the keys by which one leaves are seen, also while the program or the
/// connection takes nothing; what is too much for them then is dropped, with a bell, as a terminal does it.
/// </summary>
/// <param name="session">The session.</param>
/// <param name="notes">What is said beside its output.</param>
/// <param name="options">How it is joined.</param>
internal sealed class TypedInput(ClientSession session, Notes notes, ProgramConsoleOptions options)
{
    private const int Piece = 4096;

    // 1 MiB: what a person pastes.
    private const int MaxWaiting = 256;

    private const byte CtrlC = 3;

    private readonly Channel<byte[]> _typed = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true, SingleWriter = true });

    /// <summary>Reads until the end.</summary>
    /// <param name="input">Standard input.</param>
    /// <param name="leave">Called with the exit code where the person leaves.</param>
    public async Task RunAsync(StandardStream input, Action<int> leave)
    {
        var sending = SendAsync();
        var buffer = new byte[Piece];
        var filtered = new byte[Piece + 1];
        while (await input.ReadAsync(buffer) is > 0 and var count)
        {
            var isLeaving = false;
            if (options is { Escape: { } escape, Terminal: not null })
                isLeaving = escape.Filter(buffer.AsSpan(0, count), filtered, out count);
            else
                buffer.AsSpan(0, count).CopyTo(filtered);

            // There is no program for it to go to.
            isLeaving |= options is { IsView: true, Terminal: not null } && filtered.AsSpan(0, count).Contains(CtrlC);
            if (count > 0 && !options.IsView && !sending.IsCompleted && (!session.Drives || !_typed.Writer.TryWrite(filtered.AsSpan(0, count).ToArray())))
                notes.Ring();
            if (!isLeaving)
                continue;
            leave(0);
            return;
        }

        // A terminal's end is a hang-up; of other input, a viewer's is nothing.
        if (options.Terminal is { IsInput: true })
            leave(ExitCodes.OfSignal(ConsoleSignals.HangUp));
    }

    private async Task SendAsync()
    {
        var isRefused = false;
        await foreach (var piece in _typed.Reader.ReadAllAsync())
        {
            try
            {
                await session.WriteAsync(piece);
                isRefused = false;
            }
            catch (LinkException e) when (e.Code == FailureCode.Denied)
            {
                if (!isRefused)
                    notes.Complain(e.Message);
                isRefused = true;
            }
            catch (LinkException)
            {
                // The program takes no more.
                return;
            }
        }
    }
}
