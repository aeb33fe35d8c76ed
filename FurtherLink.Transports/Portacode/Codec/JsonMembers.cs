using System.Text.Json;

namespace FurtherLink.Transports.Portacode.Codec;

/// <summary>Looks for members of objects that came from somebody else.</summary>
internal static class JsonMembers
{
    /// <summary>
    /// Finds a member; of two with one name the last. An object that has some other name with half a surrogate pair in it makes
    /// <see cref="JsonElement.TryGetProperty(string, out JsonElement)"/> throw: such a name is nobody's, and passed over.
    /// </summary>
    public static bool TryFind(this in JsonElement from, string name, out JsonElement value)
    {
        try
        {
            return from.TryGetProperty(name, out value);
        }
        catch (InvalidOperationException)
        {
            value = default;
            foreach (var member in from.EnumerateObject())
            {
                if (Is(member, name))
                    value = member.Value;
            }

            return value.ValueKind is not JsonValueKind.Undefined;
        }
    }

    private static bool Is(in JsonProperty member, string name)
    {
        try
        {
            return member.NameEquals(name);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
