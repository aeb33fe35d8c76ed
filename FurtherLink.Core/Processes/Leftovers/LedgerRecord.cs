using System.Buffers;
using System.Text.Json;

namespace FurtherLink.Processes.Leftovers;

/// <summary>One thing of a <see cref="Ledger"/>: a path or a control group to be removed, or programs to be ended. Kept as a small JSON object.</summary>
internal sealed record LedgerRecord
{
    /// <summary>How the names of their files end.</summary>
    public const string Extension = ".json";

    /// <summary>What is removed with everything in it: absolute, links resolved but for its last name; null = nothing.</summary>
    public string? Path { get; init; }

    /// <summary>How many directories above it were made for it, and go with it where they are empty.</summary>
    public int Above { get; init; }

    /// <summary>Where others might have chosen its name: it is removed only as a plain file of this user ...</summary>
    public uint Owner { get; init; }

    /// <summary>... that was made within a moment of this time, in seconds since 1970; 0 = its name is nobody else's.</summary>
    public double Born { get; init; }

    /// <summary>A control group, in which everybody is killed before it is removed; null = none.</summary>
    public string? Group { get; init; }

    /// <summary>The mark that programs carry in their upper half, see <see cref="Processes.Children.ChildTable"/>; 0 = none.</summary>
    public ulong Family { get; init; }

    /// <summary>The kernel's session of who started them: what is in it is not ours.</summary>
    public int Session { get; init; }

    /// <summary>Writes it.</summary>
    public ReadOnlyMemory<byte> Write()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (Path is not null)
                writer.WriteString("path"u8, Path);
            if (Above > 0)
                writer.WriteNumber("above"u8, Above);
            if (Born > 0)
            {
                writer.WriteNumber("owner"u8, Owner);
                writer.WriteNumber("born"u8, Born);
            }

            if (Group is not null)
                writer.WriteString("group"u8, Group);
            if (Family != 0)
            {
                writer.WriteNumber("family"u8, Family);
                writer.WriteNumber("session"u8, Session);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Reads one; null where it was not written to its end, so that what it is about was not made either.</summary>
    public static LedgerRecord? Read(ReadOnlySpan<byte> json)
    {
        var record = new LedgerRecord();
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                record = name switch
                {
                    "path" => record with { Path = reader.GetString() },
                    "above" => record with { Above = reader.GetInt32() },
                    "owner" => record with { Owner = reader.GetUInt32() },
                    "born" => record with { Born = reader.GetDouble() },
                    "group" => record with { Group = reader.GetString() },
                    "family" => record with { Family = reader.GetUInt64() },
                    "session" => record with { Session = reader.GetInt32() },
                    _ => record,
                };
            }

            return record;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
