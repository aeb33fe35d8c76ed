using System.Text.Json;
using System.Text.Json.Serialization;
using FurtherLink.Client.Connectors;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;

namespace FurtherLink.Host.Consoles;

/// <summary>The devices that this user's commands are paired with: "devices.json" in the state directory, which nobody else can read.</summary>
internal static class PairedDevices
{
    private const string FileName = "devices.json";

    /// <summary>What was kept of a device when it was paired with.</summary>
    /// <param name="address">Its address, as a command names it.</param>
    /// <returns>
    /// Its token, and the address with the fingerprint that it was paired by where the given one has none; null where there is nothing.
    /// </returns>
    /// <exception cref="ConsoleException">The file cannot be read.</exception>
    /// <exception cref="FormatException">That is no address.</exception>
    public static PairedDevice? Find(string address)
    {
        if (!IsRemote(address))
            return null;
        var target = TargetOf(address);
        if (Read(Locate()).FirstOrDefault(device => TargetOf(device.Address) == target) is not { } known)
            return null;
        return address.Contains('#') ? known with { Address = address } : known;
    }

    /// <summary>Keeps a device; one of the same address is replaced.</summary>
    /// <returns>The file that it is kept in.</returns>
    /// <exception cref="ConsoleException">It cannot be kept.</exception>
    public static string Keep(PairedDevice device)
    {
        var path = Prepare();
        var target = TargetOf(device.Address);
        try
        {
            List<PairedDevice> devices = [.. Read(path).Where(other => TargetOf(other.Address) != target), device];
            var next = path + ".new";
            File.Delete(next);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
            using (var file = new FileStream(next, options))
                JsonSerializer.Serialize(file, devices, PairedDevicesJson.Default.ListPairedDevice);
            File.Move(next, path, overwrite: true);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConsoleException(ExitCodes.Refused, $"the token cannot be kept: {path}: {e.Message}");
        }
    }

    /// <summary>Finds out whether something can be kept, before there is something to keep.</summary>
    /// <exception cref="ConsoleException">Nothing can.</exception>
    public static string Prepare()
    {
        try
        {
            var path = Locate();
            StateDirectory.Prepare(Path.GetDirectoryName(path)!);
            Read(path);
            return path;
        }
        catch (SettingException e)
        {
            throw new ConsoleException(ExitCodes.Refused, e.Message);
        }
    }

    private static bool IsRemote(string address) => address.StartsWith("ws:", StringComparison.Ordinal) || address.StartsWith("wss:", StringComparison.Ordinal);

    private static string TargetOf(string address)
    {
        var connector = DeviceAddress.Parse(address);
        (connector as IDisposable)?.Dispose();
        return connector.Target;
    }

    private static string Locate() => Path.Combine(StateDirectory.Locate(null, Environment.GetEnvironmentVariable), FileName);

    private static List<PairedDevice> Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return JsonSerializer.Deserialize(file, PairedDevicesJson.Default.ListPairedDevice) ?? [];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new ConsoleException(ExitCodes.Refused, $"the tokens of devices cannot be read: {path}: {e.Message}");
        }
    }
}

/// <summary>A device that commands are paired with.</summary>
/// <param name="Address">Its address, with the fingerprint of its certificate where it was given.</param>
/// <param name="Token">What lets them in.</param>
internal sealed record PairedDevice(string Address, string Token)
{
    /// <inheritdoc/>
    public override string ToString() => $"a token of {Address}";
}

/// <summary>How paired devices are kept.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(List<PairedDevice>))]
internal sealed partial class PairedDevicesJson : JsonSerializerContext;
