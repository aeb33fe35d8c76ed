using System.Buffers;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using FurtherLink.Client;
using FurtherLink.Client.Connectors;
using FurtherLink.Client.Consoles;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Consoles;
using FurtherLink.Host.Serving;
using FurtherLink.Messages;

namespace FurtherLink.Host.Commands;

/// <summary>The options of a command that uses a device: which one, and how much is said about it.</summary>
internal sealed class DeviceOptions
{
    /// <summary>The variable that names the device where no option does.</summary>
    public const string Variable = "FURTHERLINK_DEVICE";

    /// <summary>The variable with a token of the device, where no option names its file.</summary>
    public const string TokenVariable = "FURTHERLINK_TOKEN";

    private readonly Option<string> _device = new("--device")
    {
        Description = $"The device: ws://HOST:PORT, wss://HOST:PORT, unix:PATH, or exec:COMMAND as \"exec:ssh pi furtherlink stdio\". Default: ${Variable}, else the server on this machine.",
        HelpName = "address",
    };

    private readonly Option<string> _fingerprint = new("--fingerprint")
    {
        Description = "SHA-256 fingerprint of the device's certificate, which its server prints when it starts (wss:// only).",
        HelpName = "sha256",
    };

    private readonly Option<string> _token = new("--token-file")
    {
        Description = $"A file with the token that the device has given out; nobody else may read it. Default: the token in ${TokenVariable}, else that of \"furtherlink pair\", if any.",
        HelpName = "file",
    };

    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Say only what goes wrong." };

    /// <summary>Adds them to a command.</summary>
    public DeviceOptions(Command command)
    {
        command.Add(_device);
        command.Add(_fingerprint);
        command.Add(_token);
        command.Add(_quiet);
        command.Validators.Add(Check);
    }

    /// <summary>What says things beside programs' output.</summary>
    public Notes Notes(ParseResult result)
    {
        // Not by System.Console, which would switch the keys of a terminal over for itself.
        var error = StandardStream.OpenError();
        return new Notes(text => error.WriteAsync(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(text))), result.GetValue(_quiet));
    }

    /// <summary>Connects to the device.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="notes">Is told how the connection is from then on.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ConsoleException">There is none, or it cannot be reached.</exception>
    public async Task<OpenDevice> OpenAsync(ParseResult result, Notes notes, CancellationToken cancellationToken) =>
        await TryOpenAsync(result, notes, cancellationToken) ?? throw new ConsoleException(
            ExitCodes.Refused, $"no server runs on this machine. Start one with \"furtherlink serve\", or say which device with --device or {Variable}.");

    /// <summary>Connects to the device, and where none is named and no server runs here, makes one of this process.</summary>
    /// <exception cref="ConsoleException">It cannot be reached.</exception>
    /// <exception cref="SettingException">There are mistakes in this machine's settings.</exception>
    public async Task<OpenDevice> OpenOrMakeAsync(ParseResult result, Notes notes, CancellationToken cancellationToken)
    {
        if (await TryOpenAsync(result, notes, cancellationToken) is { } device)
            return device;
        using var configuration = HostConfiguration.Load(new Dictionary<string, string>());
        SettingsCheck.Run(configuration);
        var server = InProcessServer.Create(configuration);
        return new OpenDevice(await ConnectAsync(new InProcessConnector(server.GetRequiredService<ILinkServer>()), null, notes, cancellationToken), server) { IsHere = true };
    }

    /// <summary>Connects to the device where that needs nobody to type or wait, for completion.</summary>
    /// <returns>Null where it does, or where there is none.</returns>
    public static async Task<OpenDevice?> TryOpenQuicklyAsync(string? address, CancellationToken cancellationToken)
    {
        address ??= Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } variable ? variable : LocalAddress();
        if (address is null || address.StartsWith("exec:", StringComparison.Ordinal))
            return null;
        var paired = PairedDevices.Find(address);
        var options = new ClientOptions { ReconnectTimeout = TimeSpan.Zero, Token = TokenOf(null) ?? paired?.Token };
        return new OpenDevice(await FurtherLinkClient.ConnectAsync(DeviceAddress.Parse(paired?.Address ?? address), options, cancellationToken));
    }

    /// <summary>The server of this machine; null = none runs.</summary>
    public static string? LocalAddress()
    {
        using var configuration = HostConfiguration.Load(new Dictionary<string, string>());
        var setting = configuration.Find(HostConfiguration.Section + ":StateDirectory") is { Text: { Length: > 0 } text } ? text : null;
        var state = StateDirectory.Locate(setting, Environment.GetEnvironmentVariable);
        return LocalHost.Find(state) is { } socket ? "unix:" + socket : null;
    }

    private async Task<OpenDevice?> TryOpenAsync(ParseResult result, Notes notes, CancellationToken cancellationToken)
    {
        if ((Address(result.GetValue(_device), result.GetValue(_fingerprint)) ?? LocalAddress()) is not { } address)
            return null;
        var paired = PairedDevices.Find(address);
        return new OpenDevice(await ConnectAsync(DeviceAddress.Parse(paired?.Address ?? address), TokenOf(result.GetValue(_token)) ?? paired?.Token, notes, cancellationToken)) { IsHere = address.StartsWith("unix:", StringComparison.Ordinal) };
    }

    private static async Task<FurtherLinkClient> ConnectAsync(ILinkConnector connector, string? token, Notes notes, CancellationToken cancellationToken)
    {
        var options = new ClientOptions { Label = $"{Environment.UserName}@{Environment.MachineName}", Changed = notes.Tell, Token = token };
        try
        {
            return await FurtherLinkClient.ConnectAsync(connector, options, cancellationToken);
        }
        catch (LinkException e)
        {
            throw new ConsoleException(ExitCodes.Refused, e.Message);
        }
    }

    /// <summary>The token that is given; null = none.</summary>
    /// <exception cref="ConsoleException">Its file cannot be read, or holds none.</exception>
    private static string? TokenOf(string? file)
    {
        if (file is null)
            return Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } token ? token.Trim() : null;
        try
        {
            return File.ReadAllText(file).Trim() is { Length: > 0 } text && !text.Contains('\n')
                ? text
                : throw new ConsoleException(ExitCodes.Refused, $"--token-file: \"{file}\" holds no token: it must be one line.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConsoleException(ExitCodes.Refused, $"--token-file: \"{file}\" cannot be read: {e.Message}");
        }
    }

    private void Check(CommandResult result)
    {
        try
        {
            if (Address(result.GetValue(_device), result.GetValue(_fingerprint)) is { } address)
                (DeviceAddress.Parse(address) as IDisposable)?.Dispose();
        }
        catch (FormatException e)
        {
            result.AddError(e.Message);
        }
    }

    /// <summary>The address that is given; null where none is.</summary>
    /// <exception cref="FormatException">A fingerprint is given for another way than wss.</exception>
    public static string? Address(string? device, string? fingerprint)
    {
        var address = device ?? (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } variable ? variable : null);
        if (string.IsNullOrEmpty(fingerprint))
            return address;
        if (address?.StartsWith("wss://", StringComparison.Ordinal) != true)
            throw new FormatException("--fingerprint is of a certificate, which only a device at wss:// has");
        return $"{address.Split('#')[0]}#sha256={fingerprint}";
    }
}
