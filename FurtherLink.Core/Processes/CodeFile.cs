using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using FurtherLink.Processes.Leftovers;
using FurtherLink.Processes.Profiles;

namespace FurtherLink.Processes;

/// <summary>A file of its own with the code that a request brings, in the user's hands. Disposing removes it; several times do no harm.</summary>
[SupportedOSPlatform("linux")]
internal sealed class CodeFile : IDisposable
{
    private const int TriesWithThreeDigits = 100;
    private const int Tries = 200;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly UserAccount _user;
    private readonly IDisposable? _note;
    private bool _disposed;

    private CodeFile(string path, UserAccount user, IDisposable? note)
    {
        Path = path;
        _user = user;
        _note = note;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Makes it, and its directory where that is missing, as the user.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="plan">How it is named, and whether it is run itself.</param>
    /// <param name="code">What is in it.</param>
    /// <param name="user">Whose it is.</param>
    /// <param name="ledger">Where it is written down for the case of a crash; null = nowhere.</param>
    /// <param name="confined">Where it may be; null = wherever the user may write.</param>
    /// <exception cref="Messages.LinkException">It cannot be made; the message says why.</exception>
    public static CodeFile Create(string directory, LaunchPlan plan, string code, UserAccount user, Ledger? ledger, ConfinedFiles? confined = null)
    {
        using var held = Open(directory, user, confined);
        for (var tries = 0; ; tries++)
        {
            var number = tries < TriesWithThreeDigits ? RandomNumberGenerator.GetInt32(100, 1000) : RandomNumberGenerator.GetInt32(1000, int.MaxValue);
            var path = System.IO.Path.Combine(directory, $"{plan.FilePrefix}{number}{plan.FileExtension}");
            // As the server: the user may not write there.
            var note = ledger?.NoteFile(path, user.Uid);
            try
            {
                if (TryWrite(path, held, plan.RunsFile ? Private | UnixFileMode.UserExecute : Private, code, user, mayBeTaken: tries < Tries))
                    return new CodeFile(path, user, note);
            }
            catch
            {
                note?.Dispose();
                throw;
            }

            note?.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        using (new FileUser(_user))
            File.Delete(Path);
        _note?.Dispose();
    }

    private static WalkedDirectory? Open(string directory, UserAccount user, ConfinedFiles? confined)
    {
        using var _ = new FileUser(user);
        if (confined is not null)
            return confined.Open(directory);
        ProgramFiles.EnsureDirectory(directory);
        return null;
    }

    private static bool TryWrite(string path, WalkedDirectory? held, UnixFileMode mode, string code, UserAccount user, bool mayBeTaken)
    {
        using var _ = new FileUser(user);
        var target = held?.PathOf(System.IO.Path.GetFileName(path)) ?? path;
        var isWritten = false;
        ProgramFiles.Translate(path, () =>
        {
            try
            {
                var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode, BufferSize = 0 };
                using var file = new FileStream(target, options);
                file.Write(Encoding.UTF8.GetBytes(code));
                isWritten = true;
            }
            catch (IOException) when (mayBeTaken && File.Exists(target))
            {
                // Somebody has that number already.
            }
        });
        return isWritten;
    }
}
