using System.Text;

namespace FurtherLink.Host.Configuration;

/// <summary>A file that a setting names, and how one says that it is wrong.</summary>
/// <param name="Setting">The setting's name.</param>
/// <param name="Path">The file.</param>
/// <param name="Origin">Where the setting was given: an option, a variable, a file; null = nowhere, it is so by default.</param>
internal sealed record SettingFile(string Setting, string Path, string? Origin = null)
{
    // What is longer is no key and no list of certificates.
    private const int MaxLength = 4 * 1024 * 1024;

    /// <summary>Makes one of a setting that is given.</summary>
    public SettingFile(string setting, SettingValue value)
        : this(setting, value.Text, value.Origin)
    {
    }

    /// <summary>Says what is wrong with it.</summary>
    /// <param name="words">What follows the setting's name, without a full stop.</param>
    public SettingException Mistake(string words) => new($"{Setting}: {words.TrimEnd('.')}{(Origin is null ? "" : $" (from {Origin})")}.");

    /// <summary>Reads it, as text.</summary>
    /// <exception cref="SettingException">It is not there, or cannot be read.</exception>
    public string Read()
    {
        try
        {
            using var stream = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream);
            var text = new StringBuilder();
            var piece = new char[4096];
            while (reader.Read(piece) is > 0 and var count)
            {
                if (text.Append(piece, 0, count).Length > MaxLength)
                    throw Mistake($"\"{Path}\" is too long for a file in PEM form");
            }

            return text.ToString();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Mistake($"there is no file \"{Path}\"");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Mistake($"\"{Path}\" cannot be read: {exception.Message}");
        }
    }
}
