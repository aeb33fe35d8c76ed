using System.Buffers;
using System.Text;

namespace FurtherLink.Client.Consoles;

/// <summary>
/// Makes text of a stream's bytes, cut anywhere: UTF-8, and unless it is to be raw without escape sequences and control characters, as
/// <see cref="ConsoleOptions.Raw"/> says. Which bytes belong to a sequence is as in <see cref="Terminals.VtParser"/>. Not thread safe.
/// </summary>
/// <param name="raw">Whether everything stays.</param>
internal sealed class PrintedText(bool raw)
{
    private const int Piece = 4096;

    private static readonly SearchValues<char> Controls =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0x7F, 0x21)).Select(code => (char)code)]);

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    // An incomplete character before the piece may come with it.
    private readonly char[] _decoded = new char[Encoding.UTF8.GetMaxCharCount(Piece)];
    private State _state;
    // A "\r" that vanishes where "\n" follows.
    private bool _return;
    private bool _isLineStart = true;

    private enum State
    {
        Text,
        Escape,
        Intermediate,
        Sequence,
        Command,
        SkippedString,
    }

    /// <summary>Takes bytes.</summary>
    /// <param name="bytes">The stream's next.</param>
    /// <param name="isEnd">Whether they are the last: what is incomplete shows as such.</param>
    /// <param name="text">Where the text goes.</param>
    /// <param name="transcript">Gets it raw.</param>
    /// <param name="offset">The bytes' offset.</param>
    public void Write(ReadOnlySpan<byte> bytes, bool isEnd, UnmatchedText text, Transcript transcript, long offset)
    {
        do
        {
            var piece = bytes[..Math.Min(bytes.Length, Piece)];
            bytes = bytes[piece.Length..];
            var decoded = _decoded.AsSpan(0, _decoder.GetChars(piece, _decoded, isEnd && bytes.IsEmpty));
            transcript.Receive(decoded, offset);
            offset += piece.Length;
            if (raw)
                text.Append(decoded);
            else
                Print(decoded, text);
        }
        while (!bytes.IsEmpty);

        if (isEnd)
            PrintReturn(text);
    }

    private void Print(ReadOnlySpan<char> input, UnmatchedText text)
    {
        while (!input.IsEmpty)
        {
            if (_state != State.Text)
            {
                InSequence(input[0], text);
                input = input[1..];
                continue;
            }

            var length = input.IndexOfAny(Controls);
            if (length == 0)
            {
                Control(input[0], text);
                input = input[1..];
                continue;
            }

            var plain = length < 0 ? input : input[..length];
            PrintReturn(text);
            text.Append(plain);
            _isLineStart = false;
            input = input[plain.Length..];
        }
    }

    private void Control(char code, UnmatchedText text)
    {
        switch (code)
        {
            case '\e':
                _state = State.Escape;
                break;
            case '\u0018' or '\u001A':
                _state = State.Text;
                break;
            case '\r':
                _return = !_isLineStart;
                break;
            case '\n':
                _return = false;
                text.Append("\n");
                _isLineStart = true;
                break;
            case '\t':
                PrintReturn(text);
                text.Append("\t");
                _isLineStart = false;
                break;
        }
    }

    private void InSequence(char next, UnmatchedText text)
    {
        switch (_state)
        {
            // Strings end at BEL (a command), ESC, CAN and SUB; other control characters belong to them.
            case State.Command or State.SkippedString:
                if (next is '\e' or '\u0018' or '\u001A')
                    Control(next, text);
                else if (next == '\a' && _state == State.Command)
                    _state = State.Text;
                break;
            case var _ when next is < ' ' or >= '\u007F':
                Control(next, text);
                break;
            case State.Sequence:
                if (next >= '@')
                    _state = State.Text;
                break;
            case var _ when next < '0':
                _state = State.Intermediate;
                break;
            case State.Intermediate:
                _state = State.Text;
                break;
            default:
                _state = next switch
                {
                    '[' => State.Sequence,
                    ']' => State.Command,
                    'P' or 'X' or '^' or '_' => State.SkippedString,
                    _ => State.Text,
                };
                break;
        }
    }

    private void PrintReturn(UnmatchedText text)
    {
        if (_return)
            text.Append("\r");
        _return = false;
    }
}
