using System.Collections.Immutable;
using FurtherLink.Transports.Portacode;

namespace FurtherLink.Host.Configuration;

/// <summary>Every setting of the host and of what it composes. The command line, the environment and the checks all come from this list.</summary>
internal static class Settings
{
    /// <summary>All of them, in the order of the help.</summary>
    public static ImmutableArray<Setting> All { get; } =
    [
        new("Port", "TCP port to listen on; 0 = any free one, which is printed. Default 8028.")
        {
            Use = SettingUse.Serve | SettingUse.Certificate | SettingUse.Pair, Option = "--port", ValueName = "number", Variable = "FURTHER_LINK_PORT", Check = Checks.Number(0, 65535),
        },
        new("Address", "Where to listen: \"loopback\" (127.0.0.1 and ::1), \"any\", or IP addresses. Default loopback.")
        {
            Shape = SettingShape.List, Use = SettingUse.Serve, Option = "--address", ValueName = "address", Check = Checks.Address,
        },
        new("NoTls", "Speak plain HTTP and WebSocket instead of TLS.")
        {
            Shape = SettingShape.Switch, Use = SettingUse.Serve | SettingUse.Pair, Option = "--no-tls", Variable = "FURTHER_LINK_NOSSL", FromVariable = AnythingButOff, Check = Checks.Switch,
        },
        new("Socket", "Unix domain socket to listen on, for this user and root; \"none\" = none. Default: furtherlink.sock in the state directory.")
        {
            Use = SettingUse.Serve, Option = "--socket", ValueName = "path",
        },
        new("CertificatePath", "PEM file with the TLS certificate and its chain. Read again when it is replaced.")
        {
            Use = SettingUse.Serve | SettingUse.Certificate | SettingUse.Pair, Option = "--cert", ValueName = "file",
        },
        new("KeyPath", "PEM file with the certificate's private key. Default: the certificate's file.")
        {
            Use = SettingUse.Serve | SettingUse.Certificate | SettingUse.Pair, Option = "--key", ValueName = "file",
        },
        new("ClientCertificateAuthorities", "PEM file with the authorities whose certificates let clients in. Read again when it is replaced. Default: none.")
        {
            Use = SettingUse.Serve, Option = "--client-ca", ValueName = "file",
        },
        new("ClientCertificateAccess", "What a client with such a certificate may do: view, drive or own. Default drive.")
        {
            Use = SettingUse.Serve, Option = "--client-ca-access", ValueName = "access", Check = Checks.ClientAccess,
        },
        new("StateDirectory", "Where the host keeps its key and certificate. Default: $STATE_DIRECTORY, else $XDG_STATE_HOME/furtherlink, else ~/.local/state/furtherlink.")
        {
            Use = SettingUse.Serve | SettingUse.Connect | SettingUse.Stdio | SettingUse.Certificate | SettingUse.Token | SettingUse.Pair, Option = "--state-dir", ValueName = "directory",
        },
        new("TokenFile", "Where the tokens that let clients in are kept. Default: tokens.json in the state directory.")
        {
            Use = SettingUse.Serve | SettingUse.Token, Option = "--tokens", ValueName = "file",
        },
        new("PasswordFile", "A file of names and passwords that let people in, as htpasswd -B writes it. Read again when it is changed. Default: none.")
        {
            Use = SettingUse.Serve, Option = "--passwords", ValueName = "file",
        },
        new("PasswordAccess", "What a password allows: view, drive or own. Default drive.") { Use = SettingUse.Serve, Check = Checks.ClientAccess },
        new("AuditFile", "A file that is appended to: who has connected, what they have started and how it ended, as JSON. Default: none; the log says the same.")
        {
            Use = SettingUse.Serve | SettingUse.Connect | SettingUse.Stdio | SettingUse.Token, Option = "--audit", ValueName = "file",
        },
        new("LoginAttempts", "How often a minute somebody may show from one address what counts for nothing. Default 10.") { Check = Checks.Number(1, int.MaxValue) },
        new("PairingTime", "How long a client may come with the code that \"furtherlink pair\" shows. Default 00:05:00.") { Check = Checks.Wait },
        new("PairingHook", "A command that shows the code for pairing on the device: run with it in FURTHERLINK_PAIRING_CODE. Default: none.") { Use = SettingUse.Serve },
        new("WorkDirectory", "Where uploads go and relative paths begin. Default: \"further\" in the home of the user who runs the program.")
        {
            Option = "--work-dir", ValueName = "directory", Variable = "FURTHER_LINK_WORK_DIR", Check = Checks.WritableDirectory,
        },
        new("TempDirectory", "Where code without a path runs. Default /tmp.")
        {
            Option = "--temp-dir", ValueName = "directory", Variable = "FURTHER_LINK_TEMP_DIR", Check = Checks.WritableDirectory,
        },
        new("MiniscreenProjectsDirectory", "Where projects with a project.cfg are copied. Default: Desktop/Projects/Further in the user's home.")
        {
            Option = "--projects-dir", ValueName = "directory", Variable = "FURTHER_LINK_MINISCREEN_PROJECTS_DIR", Check = Checks.WritableDirectory,
        },
        new("DefaultUser", "Who programs run as when a client does not say.") { Option = "--user", ValueName = "name", Check = Checks.User },
        new("PythonVenv", "Python virtual environment for python3 runs.")
        {
            Option = "--venv", ValueName = "directory", Variable = "FURTHER_VENV",
        },
        new("LegacyOpen", "Careful: let in everybody and every web page, without credentials, as the existing server does.")
        {
            Shape = SettingShape.Switch, Use = SettingUse.Serve, Option = "--legacy-open", Check = Checks.TrueOrFalse,
        },
        new("Pairing", "Start beyond this device also while nobody has a token yet: \"furtherlink pair\" gives one.")
        {
            Shape = SettingShape.Switch, Use = SettingUse.Serve, Option = "--pairing", Check = Checks.Switch,
        },
        new("LoopbackAccess", "Whether programs on this device need no credentials over a loopback address, and act as their own user. Default true.")
        {
            Shape = SettingShape.Switch, Use = SettingUse.Serve, Check = Checks.TrueOrFalse,
        },
        new("AllowedHosts", "Names by which clients ask for this device, beside localhost, addresses, the machine's name and that with .local.")
        {
            Shape = SettingShape.List, Use = SettingUse.Serve, Option = "--allowed-host", ValueName = "name", Check = Checks.HostName,
        },
        new("AllowedOrigins", "Web origins whose pages may connect with credentials (https://example.org); none unless given.")
        {
            Shape = SettingShape.List, Use = SettingUse.Serve, Option = "--allowed-origin", ValueName = "origin", Check = Checks.Origin,
        },
        new("TrustedOrigins", "Web origins whose pages may run programs, on this device without credentials (https://example.org); none unless given.")
        {
            Shape = SettingShape.List, Use = SettingUse.Serve, Option = "--trusted-origin", ValueName = "origin", Variable = "FURTHER_LINK_TRUSTED_ORIGINS", Check = Checks.Origin,
        },
        new("NoHold", "Run programs that are to be kept in the server itself, where they end with it.")
        {
            Shape = SettingShape.Switch, Use = SettingUse.Serve | SettingUse.Connect, Option = "--no-hold", Check = Checks.Switch,
        },
        new("Metrics", "Give metrics to Prometheus at /metrics.") { Shape = SettingShape.Switch, Use = SettingUse.Serve, Option = "--metrics", Check = Checks.Switch },
        new("Debug", "Log at debug level.")
        {
            Shape = SettingShape.Switch, Option = "--debug", Variable = "FURTHER_LINK_DEBUG", FromVariable = AnyText, Check = Checks.Switch,
        },
        new("StopGrace", "Time between SIGTERM and SIGKILL. Default 00:00:00.1.") { Check = Checks.Duration },
        new("OutputCapacity", "Bytes of output kept per session. Default 1048576.") { IsSize = true, Check = Checks.Size(4096, int.MaxValue) },
        new("InputCapacity", "Bytes of input that may wait for a program. Default 262144.") { IsSize = true, Check = Checks.Size(4096, int.MaxValue) },
        new("InputTimeout", "How long input waits for a program that does not read. Default 00:00:02.") { Check = Checks.Duration },
        new("MaxMessage", "The longest message a client may send, in bytes. Default 4194304.") { IsSize = true, Check = Checks.Size(1024, int.MaxValue) },
        new("AuthenticationTimeout", "How long a client may take to say who it is. Default 00:00:10.") { Check = Checks.PositiveDuration },
        new("MaxUpload", "The largest upload in bytes. Default 67108864.") { IsSize = true, Check = Checks.Size(1, long.MaxValue) },
        new("ClientStallTimeout", "How long a program waits for a client that takes nothing of its output. Default 00:00:30.") { Check = Checks.Duration },
        new("MaxExited", "How many ended sessions can still be read; those that began first go. Default 100.") { Check = Checks.Number(0, int.MaxValue) },
        new("MaxSessions", "How many programs of one client may run at once. Default 2000.") { Check = Checks.Number(1, int.MaxValue) },
        new("StartsPerMinute", "How many programs one client of another device may start a minute; 0 = no limit. Default 120.") { Check = Checks.Number(0, int.MaxValue) },
        new("MaxOutput", "Bytes of memory for the output of all sessions together. Default: a quarter of the memory there is.") { IsSize = true, Check = Checks.Size(1024 * 1024, long.MaxValue) },
        new("KeepExited", "How long an ended session can still be read. Default 00:10:00.") { Check = Checks.Duration },
        new("SpillCapacity", "Bytes of output kept on disk per session that outlives its client, beside those in memory. Default 0: none.")
        {
            Option = "--spill", ValueName = "size", IsSize = true, Check = Checks.SizeOrOff(1024 * 1024),
        },
        new("SpillDirectory", "Where output is kept on disk. Default: \"output\" in the state directory.") { Check = Checks.WritableDirectory },
        new("LedgerDirectory", "Where is written down what the next start removes after a crash. Default: \"ledger\" in the state directory.") { Check = Checks.WritableDirectory },
        new("SpillRetention", "How old output on disk may get, and how long an ended session that has some can be read. Default 1.00:00:00.") { Check = Checks.PositiveDuration },
        new("KeepAliveInterval", "After how long without a sign of life a client is sent a ping. Default 00:00:10.") { Check = Checks.PositiveDuration },
        new("KeepAliveTimeout", "How long the answer to a ping may take before the client counts as gone. Default 00:00:15.") { Check = Checks.PositiveDuration },
        new("Compression", "Compress messages for clients that offer it. Default false.") { Shape = SettingShape.Switch, Check = Checks.TrueOrFalse },
        new("MaxConnections", "How many connections one address may have, of which a tenth nobody is known of yet. Default 2000 on this device, 100 elsewhere.")
        {
            Use = SettingUse.Serve, Check = Checks.Number(1, int.MaxValue),
        },
        new("MaxTotalConnections", "How many connections there may be of all addresses; each user of this device has 20 beside them. Default 5000.")
        {
            Use = SettingUse.Serve, Check = Checks.Number(1, int.MaxValue),
        },
        new("HeaderTimeout", "How long the headers of a request may take. Default 00:00:10.") { Use = SettingUse.Serve, Check = Checks.Wait },
        new("LoginLifetime", "How long a browser stays logged in. Default 12:00:00.") { Check = Checks.PositiveDuration },
        new("AdoptOrphans", "Whether programs left behind by others become children of the server, to be found quickly. Default true.")
        {
            Shape = SettingShape.Switch, Check = Checks.TrueOrFalse,
        },
        new("Portacode:Listen", "Let Portacode gateways dial in at /portacode.")
        {
            Shape = SettingShape.Switch, Use = SettingUse.Serve, Option = "--portacode", Check = Checks.Switch,
        },
        new("Portacode:GatewayUrl", "The Portacode gateway to dial (wss://example.org/gateway).")
        {
            Use = SettingUse.Connect, Option = "--gateway", ValueName = "URL", Variable = "PORTACODE_GATEWAY", Check = Checks.Gateway,
        },
        new("Portacode:KeyDirectory", "Folder with the device's key for gateways, id_portacode and id_portacode.pub, made where it is missing. Default: \"keys\" in the state directory.")
        {
            Use = SettingUse.Serve | SettingUse.Connect, Option = "--key-dir", ValueName = "directory",
        },
        new("Portacode:OnRejected", "What a rejected key means: End, or Retry now and then. Default End.") { Check = Checks.OneOf<KeyRejection> },
        new("Portacode:HandshakeTimeout", "How long dialling, and each message of the handshake, may take. Default 00:00:15.") { Check = Checks.Wait },
        new("Portacode:KeepAliveInterval", "After how long without a sign of life a gateway is sent a ping. Default 00:00:10.") { Check = Checks.Wait },
        new("Portacode:KeepAliveTimeout", "How long the answer to a ping may take before the gateway counts as gone. Default 00:00:15.") { Check = Checks.Wait },
        new("Portacode:MinBackoff", "The first wait before a gateway is dialled again. Default 00:00:00.5.") { Check = Checks.Wait },
        new("Portacode:MaxBackoff", "The longest wait. Default 00:00:30.") { Check = Checks.Wait },
        new("Portacode:MaxMessage", "The longest message a gateway may send, in bytes. Default 8388608.") { IsSize = true, Check = Checks.Size(64 * 1024, int.MaxValue) },
        new("Portacode:FileRoot", "The folder that file actions must stay in. Default: the whole device."),
        new("Portacode:Bandwidth", "Bytes per second that client sessions may be sent, by name; \"*\" = every other. Default 0: no limit.") { Shape = SettingShape.Group },
        new("Portacode:TerminalBytesPerSecond", "Bytes of output per second of each terminal. Default 0: no limit.") { IsSize = true, Check = Checks.SizeOrOff(1000) },
        new("Portacode:FileBytesPerSecond", "Bytes per second of all long answers together. Default 0: no limit.") { IsSize = true, Check = Checks.SizeOrOff(1000) },
        new("Portacode:FileShare", "Which part of the turns that terminals and long answers take is the long answers'. Default 0.5.") { Check = Checks.Share },
        new("Portacode:MaxRequests", "Requests of a gateway that may be under way at once. Default 64.") { Check = Checks.Number(1, int.MaxValue) },
        new("Portacode:MaxExecOutput", "Characters of output that the result of a command repeats. Default 1048576.") { Check = Checks.Number(1024, int.MaxValue) },
        new("Portacode:Transfers", "Limits of uploads, downloads and transfers of gateways: MaxBytes, MaxEntries, MaxTransfers, MaxUploadBytes, MaxUploads, MaxWholeBytes, UploadIdle, TransferIdle.") { Shape = SettingShape.Group },
        new("Portacode:FileReadLimit", "The most bytes of a file that one file_read gives. Default 67108864.") { IsSize = true, Check = Checks.Size(4096, 128 * 1024 * 1024) },
        new("Bluetooth:Listen", "Serve clients over Bluetooth LE, too, by BlueZ.")
        {
            Shape = SettingShape.Switch, Use = SettingUse.Serve, Option = "--bluetooth", Check = Checks.Switch,
        },
        new("Bluetooth:Skip", "No Bluetooth, whatever else says so. Default false.")
        {
            Shape = SettingShape.Switch, Use = SettingUse.Serve, Variable = "FURTHER_LINK_SKIP_BLUETOOTH", Check = Checks.Switch,
        },
        new("Bluetooth:Adapter", "The adapter, as BlueZ calls it (hci1). Default: the first that can be a peripheral.")
        {
            Use = SettingUse.Serve, Option = "--bluetooth-adapter", ValueName = "name",
        },
        new("Bluetooth:Name", "The name that people look for. Default: \"furtherlink-\" and the machine's name.")
        {
            Use = SettingUse.Serve, Option = "--bluetooth-name", ValueName = "name",
        },
        new("Bluetooth:LegacyUnencrypted", "Careful: over Bluetooth everything goes through the air unencrypted, for old clients that cannot pair.")
        {
            Shape = SettingShape.Switch, Use = SettingUse.Serve, Option = "--bluetooth-unencrypted", Variable = "FURTHER_LINK_NO_BLUETOOTH_ENCRYPTION", Check = Checks.Switch,
        },
        new("Bluetooth:AlwaysPair", "Careful: whoever is near may pair at any time, not only while \"furtherlink pair\" waits. Default false.")
        {
            Shape = SettingShape.Switch, Use = SettingUse.Serve, Variable = "FURTHER_LINK_BLUETOOTH_PAIR_AND_ADVERTISE", Check = Checks.Switch,
        },
        new("Bluetooth:Advertise", "Whether the device advertises as long as it runs. Default true.") { Shape = SettingShape.Switch, Use = SettingUse.Serve, Check = Checks.TrueOrFalse },
        new("Bluetooth:Rate", "Bytes a second over Bluetooth for all clients that do not acknowledge output. Default 8000.")
        {
            Use = SettingUse.Serve, Check = Checks.Number(100, int.MaxValue),
        },
        new("Bluetooth:ClientTimeout", "How long a client over Bluetooth may say nothing before it has gone. Default 00:00:10.") { Use = SettingUse.Serve, Check = Checks.Wait },
        new("Bluetooth:MaxClientsPerDevice", "Clients over Bluetooth that one device may have at a time. Default 8.") { Use = SettingUse.Serve, Check = Checks.Number(1, int.MaxValue) },
        new("Bluetooth:MaxMessage", "The longest message that a client over Bluetooth may send, in bytes. Default 1048576.")
        {
            Use = SettingUse.Serve, IsSize = true, Check = Checks.Size(1024, int.MaxValue),
        },
        new("Bluetooth:RetryDelay", "How long to wait before Bluetooth is tried again. Default 00:00:05.") { Use = SettingUse.Serve, Check = Checks.Wait },
        new("Bluetooth:Information", "What the Device Information Service says: Manufacturer, Model, Serial, Firmware, Hardware, Vendor, Product, ProductVersion, SystemId.")
        {
            Shape = SettingShape.Group,
        },
        new("Profiles:*:Memory", "Bytes of memory that a program may use, by default (512M, 2G). Default: no limit.")
        {
            Option = "--limit-memory", ValueName = "size", IsSize = true, Check = SettingsCheck.Profiles["Memory"],
        },
        new("Profiles:*:CpuTime", "Processor time that a program may use, by default (00:01:00 is a minute). Default: no limit.")
        {
            Option = "--limit-cpu-time", ValueName = "time", Check = SettingsCheck.Profiles["CpuTime"],
        },
        new("Profiles:*:Processes", "How many processes a program may have, by default. Default: no limit.")
        {
            Option = "--limit-processes", ValueName = "number", Check = SettingsCheck.Profiles["Processes"],
        },
        new("Profiles:*:Cpus", "How many processors' worth of time a program may take, such as 0.5 or 2, by default; needs control groups. Default: no limit.")
        {
            Option = "--limit-cpus", ValueName = "number", Check = SettingsCheck.Profiles["Cpus"],
        },
        new("Profiles:*:OpenFiles", "How many files each process of a program may have open, by default. Default: no limit.")
        {
            Option = "--limit-open-files", ValueName = "number", Check = SettingsCheck.Profiles["OpenFiles"],
        },
        new("Profiles:*:WallTime", "How long a program may run, by default (08:00:00 is eight hours). Default: no limit.")
        {
            Option = "--limit-time", ValueName = "time", Check = SettingsCheck.Profiles["WallTime"],
        },
        new("Profiles:*:Sandbox", "Programs run apart by default: the system read-only, no network, their work directory alone to write in.")
        {
            Shape = SettingShape.Switch, Option = "--sandbox", Check = Checks.TrueOrFalse,
        },
        new("Profiles", "What programs may use and see, by their runner's name or \"*\": Memory, CpuTime, Cpus, Processes, OpenFiles, WallTime, Sandbox, Network.") { Shape = SettingShape.Group },
        new("Runners", "Runners made by configuration alone, by name.") { Shape = SettingShape.Group },
    ];

    private static string? AnythingButOff(string text) => Checks.IsOff(text) ? "false" : "true";

    private static string? AnyText(string text) => text.Length == 0 ? null : "true";
}
