using System.IO.Pipelines;
using FurtherLink.Messages;
using FurtherLink.Sessions;

namespace FurtherLink.Recordings;

/// <summary>Exports what a session has printed, and when, from its log: also while it runs, and after its end as long as it is kept.</summary>
public static class Recording
{
    // As much as a session keeps unless told otherwise: so that nothing is overwritten while the wire is slow, it is taken in one go.
    private const int MaxUnflushed = 2 * 1024 * 1024;
    private const int MaxPiece = 64 * 1024;

    /// <summary>
    /// Writes a recording in the format asciicast v2: what the log still has of the output, the terminal's sizes, and input where it is
    /// asked for and kept. What the log has no more is a marker "missed N bytes". The program never waits for it.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="output">Where it goes; completing it stays the caller's.</param>
    /// <param name="options">What goes in.</param>
    /// <param name="cancellationToken">Ends it in the middle.</param>
    public static async Task WriteAsync(ISession session, PipeWriter output, RecordingOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(options);
        // Text that is cut at the end waits for its rest: what is asked for now ends before it.
        var end = options.Follow ? long.MaxValue : session.Output.End;
        using var reader = session.Output.Attach(new ReaderOptions { From = 0, Text = true, Lossless = false, Timed = true });
        var cast = new AsciicastWriter(output);
        var events = new EventCursor(session.Notices, cast, options.Input);
        var info = session.Info;
        cast.WriteHeader(info, events.FirstSize ?? info.Terminal, info.Created.ToUnixTimeMilliseconds());
        while (reader.Position < end)
        {
            events.WriteUpTo(reader.Position);
            if (!reader.TryRead(events.Limit(reader.Position), out var chunk))
            {
                // Below what is in memory it comes from disk, in a moment.
                if (!options.Follow && reader.Position >= session.Output.Start)
                    break;
                await output.FlushAsync(cancellationToken).ConfigureAwait(false);
                chunk = await reader.ReadAsync(MaxPiece, cancellationToken).ConfigureAwait(false);
                events.Refresh();
            }

            events.WriteUpTo(chunk.Exit is null ? chunk.Offset : long.MaxValue);
            if (chunk.Missed > 0)
                cast.WriteMarker(chunk.Time, $"missed {chunk.Missed} bytes");
            if (chunk.Exit is not null)
                break;
            cast.WriteOutput(chunk.Time, chunk.Data.Span, newLines: info.Terminal is null);
            if (output.CanGetUnflushedBytes && output.UnflushedBytes > MaxUnflushed)
                await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        events.WriteUpTo(end);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The sizes and inputs of a session, put in between its output.</summary>
    private sealed class EventCursor
    {
        private readonly SessionNotices _notices;
        private readonly AsciicastWriter _cast;
        private readonly bool _input;
        private readonly Queue<SessionNotice> _events = new();
        private long _number;

        public EventCursor(SessionNotices notices, AsciicastWriter cast, bool input)
        {
            _notices = notices;
            _cast = cast;
            _input = input;
            Refresh();
            FirstSize = _events.FirstOrDefault(one => one.Body is TerminalSize).Body as TerminalSize?;
            // The header says it.
            if (_events.TryPeek(out var first) && first.Body is TerminalSize)
                _events.Dequeue();
        }

        /// <summary>The oldest size that is known; null = the session has no terminal.</summary>
        public TerminalSize? FirstSize { get; }

        /// <summary>Takes in what has happened since.</summary>
        public void Refresh()
        {
            foreach (var notice in _notices.KeptFrom(_number, out _number))
                _events.Enqueue(notice);
        }

        /// <summary>How much output may be read before the next event.</summary>
        public int Limit(long position) =>
            _events.TryPeek(out var next) ? (int)Math.Clamp(next.Offset - position, 1, MaxPiece) : MaxPiece;

        /// <summary>Writes the events that happened before the output at an offset.</summary>
        public void WriteUpTo(long offset)
        {
            while (_events.TryPeek(out var next) && next.Offset <= offset)
            {
                _events.Dequeue();
                if (next.Body is TerminalSize size)
                    _cast.WriteResize(next.Time, size);
                else if (_input && next.Body is byte[] typed)
                    _cast.WriteInput(next.Time, typed);
            }
        }
    }
}
