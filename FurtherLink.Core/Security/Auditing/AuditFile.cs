using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FurtherLink.Security.Auditing;

/// <summary>The file of the audit log: an object of JSON a line, appended, by one process at a time. Used by one thread at a time.</summary>
/// <param name="path">Where it is.</param>
internal sealed class AuditFile(string path)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.Default };

    private readonly ArrayBufferWriter<byte> _lines = new();

    /// <summary>Keeps an event until the next <see cref="Flush"/>.</summary>
    public void Add(DateTimeOffset time, AuditEvent entry)
    {
        using (var json = new Utf8JsonWriter(_lines, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", time);
            foreach (var (name, value) in entry.Fields)
                json.WriteString(name, AuditText.Short(value));
            json.WriteEndObject();
        }

        _lines.Write("\n"u8);
    }

    /// <summary>Appends what was added. Each time it is opened anew: it may have been put aside for a new one (logrotate(8)).</summary>
    /// <exception cref="IOException">It cannot be written, or others may use it; what was added is lost.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written.</exception>
    public void Flush()
    {
        try
        {
            using var file = Open();
            // What a full disk has cut off is not to run into what comes behind it.
            if (file.CanSeek && file.Length > 0)
            {
                file.Seek(-1, SeekOrigin.End);
                if (file.ReadByte() != '\n')
                    file.Write("\n"u8);
            }

            file.Write(_lines.WrittenSpan);
        }
        finally
        {
            _lines.ResetWrittenCount();
        }
    }

    /// <summary>Makes it where it is missing.</summary>
    /// <exception cref="IOException">It cannot be written, or others may use it.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written.</exception>
    public void Check() => Open().Dispose();

    private FileStream Open()
    {
        var file = SecretFile.OpenAlone(path, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        if (SecretFile.Fault(file, path, SecretFile.GroupReads) is not { } fault)
            return file;
        file.Dispose();
        throw new IOException(fault);
    }
}
