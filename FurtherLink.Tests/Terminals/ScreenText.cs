using System.Buffers;
using System.Text;
using FurtherLink.Messages;
using FurtherLink.Terminals;

namespace FurtherLink.Tests.Terminals;

/// <summary>Screens in tests: made from text, compared by what they show and by their snapshots.</summary>
internal static class ScreenText
{
    public static TerminalScreen Show(string output, int rows = 4, int columns = 10)
    {
        var screen = new TerminalScreen(new TerminalSize(rows, columns));
        screen.Write(output);
        return screen;
    }

    /// <summary>Writes text in which the pictures of control characters, such as ␛ and ␍, stand for them.</summary>
    public static void Write(this TerminalScreen screen, string output) => screen.Write(Bytes(output));

    public static byte[] Bytes(string output) =>
        Encoding.UTF8.GetBytes(string.Concat(output.Select(c => c is >= '\u2400' and < '\u2420' ? (char)(c - 0x2400) : c == '␡' ? '\u007f' : c)));

    /// <summary>All rows, without the empty ones at the end, separated by a bar.</summary>
    public static string Text(this TerminalScreen screen) => string.Join('|', screen.Rows()).TrimEnd('|');

    public static IEnumerable<string> Rows(this TerminalScreen screen) => Enumerable.Range(0, screen.Size.Rows).Select(screen.Row);

    public static byte[] Snapshot(this TerminalScreen screen)
    {
        var output = new ArrayBufferWriter<byte>();
        screen.WriteSnapshot(output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Bytes as a person reads them in a failure.</summary>
    public static string Readable(ReadOnlySpan<byte> output) =>
        string.Concat(Encoding.UTF8.GetString(output).Select(c => c < ' ' ? (char)(c + 0x2400) : c));

    public static string ReadableSnapshot(this TerminalScreen screen) => Readable(screen.Snapshot());

    /// <summary>Another screen that got the snapshot; it must be the same in everything that shows.</summary>
    public static TerminalScreen Copy(this TerminalScreen screen)
    {
        var snapshot = screen.Snapshot();
        var copy = new TerminalScreen(screen.Size);
        copy.Write(snapshot);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(copy.ReadableSnapshot(), Is.EqualTo(Readable(snapshot)));
            Assert.That(copy.Rows(), Is.EqualTo(screen.Rows()));
            Assert.That(copy.Cursor, Is.EqualTo(screen.Cursor));
            Assert.That(copy.IsAlternate, Is.EqualTo(screen.IsAlternate));
            Assert.That(copy.Title, Is.EqualTo(screen.Title));
        }

        return copy;
    }
}
