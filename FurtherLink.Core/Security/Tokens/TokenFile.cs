using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using FurtherLink.Messages;

namespace FurtherLink.Security.Tokens;

/// <summary>The file of the tokens: read whole, replaced whole, by one process at a time.</summary>
/// <param name="path">Where it is.</param>
internal sealed class TokenFile(string path)
{
    private const long MostBytes = 16 * 1024 * 1024;
    private const int HashLength = 64;

    /// <summary>What is in it; nothing where it is not there.</summary>
    /// <exception cref="TokenFileException">It cannot be read, is no such file, or others may write to it.</exception>
    public IReadOnlyList<TokenRecord> Read()
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Demand(file);
            var records = JsonSerializer.Deserialize(file, TokenJson.Default.ListTokenRecord) ?? throw new JsonException("it is null");
            DemandSense(records);
            return records;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (JsonException e)
        {
            throw new TokenFileException($"\"{path}\" is no file of tokens: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TokenFileException($"\"{path}\" cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Changes it.</summary>
    /// <param name="change">Gives what it holds from then on, told what it holds.</param>
    /// <exception cref="TokenFileException">It cannot be read or written.</exception>
    public void Change(Func<IReadOnlyList<TokenRecord>, IReadOnlyList<TokenRecord>> change)
    {
        try
        {
            using var held = SecretFile.OpenAlone(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite);
            var records = change(Read()).ToList();
            var next = path + ".new";
            File.Delete(next);
            using (var file = SecretFile.OpenAlone(next, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                JsonSerializer.Serialize(file, records, TokenJson.Default.ListTokenRecord);
                file.Flush(flushToDisk: true);
            }

            File.Move(next, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TokenFileException($"\"{path}\" cannot be written: {e.Message}", e);
        }
    }

    /// <summary>What is different where it has been changed; null = it is not there.</summary>
    public FileStamp? Stamp() => FileStamp.Of(path);

    // People may have written in it, and what the serializer takes is not all that can be meant.
    private void DemandSense(List<TokenRecord> records)
    {
        HashSet<string> hashes = new(StringComparer.Ordinal);
        HashSet<string> names = new(StringComparer.Ordinal);
        for (var i = 0; i < records.Count; i++)
        {
            if (FaultOf(records[i]) is { } fault)
                throw new TokenFileException(string.Create(CultureInfo.InvariantCulture, $"\"{path}\", entry {i + 1}: {fault}"));
        }

        string? FaultOf(TokenRecord? record)
        {
            if (record is null)
                return "is null";
            if (record.Info.Name.Length == 0 || !names.Add(record.Info.Name))
                return "must have a name that no other has";
            if (record.Info.Access is not (Access.View or Access.Drive or Access.Own))
                return "access must be view, drive or own";
            if (record.Info.Users?.Any(string.IsNullOrEmpty) == true)
                return "users must be names";
            return record.Hash.Length != HashLength || !record.Hash.All(char.IsAsciiHexDigitLower) || !hashes.Add(record.Hash)
                ? "hash must be 64 lower-case hexadecimal digits, other ones than those above"
                : null;
        }
    }

    // Who may write to it lets in whom he likes.
    private void Demand(FileStream file)
    {
        if (file.Length > MostBytes)
            throw new TokenFileException($"\"{path}\" is no file of tokens: it has {file.Length} bytes");
        if (SecretFile.Fault(file, path, SecretFile.Private) is { } fault)
            throw new TokenFileException(fault);
    }
}

/// <summary>A token as it is kept.</summary>
/// <param name="Info">What it is.</param>
/// <param name="Hash">SHA-256 of its text, in hexadecimal: the text has 256 random bits, so that nothing slower is needed.</param>
internal sealed record TokenRecord(TokenInfo Info, string Hash);

/// <summary>How tokens are kept.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(List<TokenRecord>))]
internal sealed partial class TokenJson : JsonSerializerContext;
