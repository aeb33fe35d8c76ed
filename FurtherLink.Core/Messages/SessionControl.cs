namespace FurtherLink.Messages;

/// <summary>What can be done to a running program beside writing to it: a closed family of four.</summary>
public abstract record SessionControl;

/// <summary>Sets the terminal's size; the program gets SIGWINCH. Fails where the session has no terminal.</summary>
/// <param name="Size">The new size.</param>
public sealed record Resize(TerminalSize Size) : SessionControl;

/// <summary>Sends a signal to the program's process group.</summary>
/// <param name="Number">The signal's number, 1 to 64 (signal(7)).</param>
public sealed record Signal(int Number) : SessionControl;

/// <summary>Hands a key event to a program that listens for it; nothing happens where none does.</summary>
/// <param name="Name">The key as the web's KeyboardEvent.key names it ("ArrowUp", " ").</param>
/// <param name="Event">"keydown" or "keyup".</param>
public sealed record Key(string Name, string Event) : SessionControl;

/// <summary>Ends the program's input after all that was written before: end of file on a pipe, Ctrl-D on a terminal.</summary>
public sealed record EndOfInput : SessionControl;
