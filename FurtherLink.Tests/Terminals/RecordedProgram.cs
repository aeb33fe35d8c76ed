using FurtherLink.Messages;
using FurtherLink.Tests.Readme;

namespace FurtherLink.Tests.Terminals;

/// <summary>What real programs printed on a terminal of 24 rows and 80 columns while somebody used them, up to the middle of it.</summary>
internal static class RecordedProgram
{
    public static TerminalSize Size { get; } = new(24, 80);

    /// <summary>less, vim, a shell and others.</summary>
    public static IEnumerable<string> Names => Directory.GetFiles(Folder).Select(file => Path.GetFileNameWithoutExtension(file)!);

    private static string Folder => Path.Combine(Example.Root, "FurtherLink.Tests", "Terminals", "Programs");

    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folder, name + ".output"));
}
