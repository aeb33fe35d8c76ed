namespace FurtherLink.Terminals;

/// <summary>What a <see cref="VtParser"/> finds. All that is handed over is borrowed for the call.</summary>
internal interface IVtActions
{
    /// <summary>Printable ASCII characters, at least one.</summary>
    void Print(ReadOnlySpan<byte> text);

    /// <summary>A character beyond ASCII that is no control character.</summary>
    void Print(int rune);

    /// <summary>A control character below 0x20.</summary>
    void Control(byte code);

    /// <summary>ESC, a byte of 0x20 to 0x2F or 0 for none, and what is asked.</summary>
    void Escape(byte intermediate, byte final);

    /// <summary>ESC [, a prefix of &lt;, =, &gt; and ? or 0 for none, numbers, a byte of 0x20 to 0x2F or 0, and what is asked.</summary>
    void Sequence(byte prefix, VtParameters parameters, byte intermediate, byte final);

    /// <summary>The text of ESC ] without its end.</summary>
    void Command(ReadOnlySpan<byte> text);
}
