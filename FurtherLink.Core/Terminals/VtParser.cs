using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace FurtherLink.Terminals;

/// <summary>
/// Takes a terminal's input apart: text, control characters and sequences, cut anywhere. Its states are those of
/// <see href="https://vt100.net/emu/dec_ansi_parser">Paul Williams' parser</see>, with UTF-8 for the 8-bit controls; strings other than
/// OSC (DCS, APC, PM, SOS) are skipped. What it keeps of a sequence is bounded; a longer OSC is skipped.
/// </summary>
/// <param name="actions">Gets what is found; all that is handed over is borrowed for the call.</param>
internal sealed class VtParser(ControlFunctions actions)
{
    private const int MaxCommand = 4096;
    private const int TooLong = MaxCommand + 1;
    // Stands for "several", which no sequence that is known has.
    private const byte ManyIntermediates = 0xFF;

    private static readonly SearchValues<byte> CommandEnds = SearchValues.Create(0x07, 0x18, 0x1A, 0x1B);
    private static readonly SearchValues<byte> StringEnds = SearchValues.Create(0x18, 0x1A, 0x1B);

    private readonly VtParameters _parameters = new();
    private readonly byte[] _character = new byte[4];
    private State _state;
    private int _characterLength;
    private byte _prefix;
    private byte _intermediate;
    private byte[] _command = [];
    private int _commandLength;

    private enum State
    {
        Ground,
        Escape,
        Sequence,
        Command,
        SkippedString,
    }

    public void Write(ReadOnlySpan<byte> input)
    {
        while (!input.IsEmpty)
        {
            var taken = _state switch
            {
                State.Ground => Ground(input),
                State.Escape => Escape(input[0]),
                State.Sequence => Sequence(input[0]),
                State.Command => Command(input),
                _ => SkipString(input),
            };
            input = input[taken..];
        }
    }

    /// <summary>Forgets what has begun.</summary>
    public void Reset()
    {
        _state = State.Ground;
        _characterLength = 0;
    }

    /// <summary>Writes what brings another parser into this one's state: the beginning of the sequence or character that is not complete.</summary>
    public void WriteUnfinished(IBufferWriter<byte> output)
    {
        switch (_state)
        {
            case State.Ground:
                output.Write(_character.AsSpan(0, _characterLength));
                break;
            case State.Escape:
                output.Write("\e"u8);
                WriteIntermediate(output);
                break;
            case State.Sequence:
                output.Write("\e["u8);
                if (_prefix != 0)
                    output.Write([_prefix]);
                WriteParameters(output);
                WriteIntermediate(output);
                break;
            case State.Command:
                output.Write("\e]"u8);
                // One that is too long goes on as one that nobody knows.
                output.Write(_commandLength <= MaxCommand ? _command.AsSpan(0, _commandLength) : "9999;"u8);
                break;
            default:
                output.Write("\eX"u8);
                break;
        }
    }

    private int Ground(ReadOnlySpan<byte> input)
    {
        var at = 0;
        while (at < input.Length && _state == State.Ground)
        {
            var next = input[at];
            if (_characterLength > 0)
            {
                at += Continue(next);
            }
            else if (IsPrintable(next))
            {
                var length = CountPrintable(input[at..]);
                actions.Print(input.Slice(at, length));
                at += length;
            }
            else if (next >= 0x80)
            {
                at += Character(input[at..]);
            }
            else
            {
                Control(next);
                at++;
            }
        }

        return at;
    }

    private static bool IsPrintable(byte code) => code is >= 0x20 and < 0x7F;

    private static int CountPrintable(ReadOnlySpan<byte> input)
    {
        // Short words are the usual case beside long lines.
        if (input.Length == 1 || !IsPrintable(input[1]))
            return 1;
        var length = input.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E);
        return length < 0 ? input.Length : length;
    }

    // A character that is invalid shows as one replacement character for each of its longest possible beginnings, as the web does it.
    private int Character(ReadOnlySpan<byte> input)
    {
        var status = Rune.DecodeFromUtf8(input, out var rune, out var length);
        if (status == OperationStatus.NeedMoreData)
        {
            input[..length].CopyTo(_character);
            _characterLength = length;
        }
        else if (!Rune.IsControl(rune))
        {
            actions.Print(rune.Value);
        }

        return length;
    }

    // The character began in what was written before.
    private int Continue(byte next)
    {
        _character[_characterLength] = next;
        var status = Rune.DecodeFromUtf8(_character.AsSpan(0, _characterLength + 1), out var rune, out var length);
        if (status == OperationStatus.NeedMoreData)
        {
            _characterLength++;
            return 1;
        }

        var taken = length - _characterLength;
        _characterLength = 0;
        if (!Rune.IsControl(rune))
            actions.Print(rune.Value);
        return taken;
    }

    private void Control(byte code)
    {
        switch (code)
        {
            case 0x1B:
                _state = State.Escape;
                _intermediate = 0;
                break;
            case 0x18 or 0x1A:
                _state = State.Ground;
                break;
            case < 0x20:
                actions.Control(code);
                break;
        }
    }

    private int Escape(byte next)
    {
        if (next is < 0x20 or >= 0x7F)
        {
            Control(next);
        }
        else if (next < 0x30)
        {
            AddIntermediate(next);
        }
        else if (_intermediate != 0)
        {
            _state = State.Ground;
            actions.Escape(_intermediate, next);
        }
        else
        {
            Begin(next);
        }

        return 1;
    }

    private void Begin(byte kind)
    {
        switch ((char)kind)
        {
            case '[':
                _state = State.Sequence;
                _prefix = 0;
                _parameters.Clear();
                break;
            case ']':
                _state = State.Command;
                _commandLength = 0;
                break;
            case 'P' or 'X' or '^' or '_':
                _state = State.SkippedString;
                break;
            default:
                _state = State.Ground;
                actions.Escape(0, kind);
                break;
        }
    }

    private int Sequence(byte next)
    {
        switch (next)
        {
            case < 0x20 or >= 0x7F:
                Control(next);
                break;
            case < 0x30:
                AddIntermediate(next);
                break;
            case >= 0x40:
                _state = State.Ground;
                actions.Sequence(_prefix, _parameters, _intermediate, next);
                break;
            case >= (byte)'<' when _prefix == 0 && _parameters.Count == 1 && _parameters.IsMissing(0) && _intermediate == 0:
                _prefix = next;
                break;
            // Numbers after an intermediate, or a prefix after numbers, belong to no sequence.
            case >= (byte)'<':
            case var _ when _intermediate != 0:
                _intermediate = ManyIntermediates;
                break;
            case (byte)':' or (byte)';':
                _parameters.Next(next == ':');
                break;
            default:
                _parameters.Digit(next - '0');
                break;
        }

        return 1;
    }

    private void AddIntermediate(byte next) => _intermediate = _intermediate == 0 ? next : ManyIntermediates;

    private int Command(ReadOnlySpan<byte> input)
    {
        var length = input.IndexOfAny(CommandEnds);
        var text = input[..(length < 0 ? input.Length : length)];
        AddToCommand(text);
        if (length < 0)
            return text.Length;

        // ST is ESC and a backslash, which means nothing by itself.
        if (input[length] is 0x07 or 0x1B && _commandLength <= MaxCommand)
            actions.Command(_command.AsSpan(0, _commandLength));
        _state = State.Ground;
        if (input[length] == 0x1B)
            Control(0x1B);
        return length + 1;
    }

    private void AddToCommand(ReadOnlySpan<byte> text)
    {
        var length = _commandLength + text.Length;
        if (length > MaxCommand)
        {
            _commandLength = TooLong;
            return;
        }

        if (_command.Length < length)
            Array.Resize(ref _command, Math.Max(256, (int)BitOperations.RoundUpToPowerOf2((uint)length)));
        text.CopyTo(_command.AsSpan(_commandLength));
        _commandLength = length;
    }

    private int SkipString(ReadOnlySpan<byte> input)
    {
        var length = input.IndexOfAny(StringEnds);
        if (length < 0)
            return input.Length;
        _state = State.Ground;
        Control(input[length]);
        return length + 1;
    }

    private void WriteParameters(IBufferWriter<byte> output)
    {
        Span<byte> number = stackalloc byte[8];
        for (var i = 0; i < _parameters.Count; i++)
        {
            if (i > 0)
                output.Write(_parameters.IsAttached(i) ? ":"u8 : ";"u8);
            if (_parameters.IsMissing(i))
                continue;
            _parameters[i].TryFormat(number, out var length, default, CultureInfo.InvariantCulture);
            output.Write(number[..length]);
        }

        if (_parameters.Overflowed)
            output.Write(";"u8);
    }

    private void WriteIntermediate(IBufferWriter<byte> output)
    {
        if (_intermediate == ManyIntermediates)
            output.Write("!!"u8);
        else if (_intermediate != 0)
            output.Write([_intermediate]);
    }
}
