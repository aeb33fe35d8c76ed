using System.Collections;
using System.Globalization;
using System.Reflection;
using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;
using FurtherLink.Security;
using FurtherLink.Transports.Gatt;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.WebSockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Host;

/// <summary>Every setting of the host comes to where it is read. What it does there is for the tests of its part.</summary>
[TestFixture]
internal sealed class SettingReachTests
{
    private static readonly Type[] Kinds = [typeof(LinkOptions), typeof(AccessOptions), typeof(WebSocketLinkOptions), typeof(PortacodeOptions), typeof(GattOptions)];

    // Those that have another name where the host itself reads them, or a form of their own.
    private static readonly Dictionary<string, string> Texts = new(StringComparer.Ordinal)
    {
        ["Address"] = "127.0.0.1",
        ["NoHold"] = "true",
        ["CertificatePath"] = "/c.pem",
        ["KeyPath"] = "/k.pem",
        ["ClientCertificateAuthorities"] = "/a.pem",
        ["ClientCertificateAccess"] = "view",
        ["PasswordAccess"] = "view",
        ["Portacode:Listen"] = "false",
        ["Portacode:GatewayUrl"] = "wss://example.org",
        ["Bluetooth:Listen"] = "false",
        ["Bluetooth:Skip"] = "true",
        ["Bluetooth:Adapter"] = "hci7",
        ["AllowedHosts"] = "example.org",
    };

    private TemporaryFolder _folder = null!;
    private ListenSockets _sockets = null!;
    private Dictionary<string, object?> _defaults = null!;

    private static IEnumerable<string> Names => Settings.All.Where(static setting => setting.Shape is not SettingShape.Group).Select(static setting => setting.Name);

    [OneTimeSetUp]
    public async Task SetUpAsync()
    {
        _folder = new TemporaryFolder();
        _sockets = ListenSockets.Bind(["127.0.0.1"], 0);
        _defaults = await ReadAsync([]);
    }

    [OneTimeTearDown]
    public void TearDown()
    {
        _sockets.Dispose();
        _folder.Dispose();
    }

    [TestCaseSource(nameof(Names))]
    public async Task Setting_Given_IsWhatIsReadOfIt(string name)
    {
        var values = await ReadAsync(new() { [name] = Texts.TryGetValue(name, out var text) ? text : Another(name, Default(name)) });
        var changed = values.Where(pair => !Same(pair.Value, _defaults.GetValueOrDefault(pair.Key))).Select(static pair => pair.Key).ToList();
        Assert.That(changed, Is.Not.Empty, "nothing is another by it");
        if (!Texts.ContainsKey(name))
            Assert.That(changed.Select(static key => key[(key.IndexOf('.', StringComparison.Ordinal) + 1)..]), Has.Some.EqualTo(name[(name.LastIndexOf(':') + 1)..]));
    }

    private static bool Same(object? one, object? other) => one is IEnumerable some && other is IEnumerable others
        ? some.Cast<object>().SequenceEqual(others.Cast<object>())
        : Equals(one, other);

    // A value that is allowed, of the kind that the option is of.
    private string Another(string name, (Type Type, object? Value) option) => option switch
    {
        (_, bool on) => on ? "false" : "true",
        (_, TimeSpan time) => (time + TimeSpan.FromSeconds(1)).ToString(),
        (_, double share) => (share / 2).ToString(CultureInfo.InvariantCulture),
        (_, Enum value) => Enum.GetValues(value.GetType()).Cast<Enum>().First(each => !each.Equals(value)).ToString(),
        (_, int and not 0 or long and not 0L) => (Convert.ToInt64(option.Value, CultureInfo.InvariantCulture) + 1).ToString(CultureInfo.InvariantCulture),
        _ when name == "PasswordFile" => Private(_folder.Write(name, "")),
        var (type, _) when type == typeof(string) => _folder[name.Replace(':', '-')],
        var (type, _) when typeof(IEnumerable<string>).IsAssignableFrom(type) => "https://sample.example",
        var (type, _) when type == typeof(TimeSpan?) => "00:01:00",
        var (type, _) when type == typeof(double?) => "0.5",
        _ => "2097152",
    };

    private static string Private(string file)
    {
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }

    private (Type Type, object? Value) Default(string name)
    {
        var colon = name.LastIndexOf(':');
        var (kind, property) = colon < 0 ? ("", name) : (KindOf(name[..name.IndexOf(':', StringComparison.Ordinal)]), name[(colon + 1)..]);
        foreach (var type in (Type[])[.. Kinds, typeof(RunProfile), typeof(ServeOptions)])
        {
            if ((kind.Length == 0 || kind == type.Name) && type.GetProperty(property) is { } found)
                return (found.PropertyType, _defaults[$"{type.Name}.{property}"]);
        }

        throw new AssertionException($"{name}: no option has this name; where the host reads it by another, this test says what to set it to");
    }

    private static string KindOf(string section) => section switch
    {
        "Profiles" => nameof(RunProfile),
        "Portacode" => nameof(PortacodeOptions),
        _ => nameof(GattOptions),
    };

    private async Task<Dictionary<string, object?>> ReadAsync(Dictionary<string, string> settings)
    {
        Dictionary<string, string> all = new()
        {
            ["StateDirectory"] = _folder["state"],
            ["Portacode:Listen"] = "true",
            ["Bluetooth:Listen"] = "true",
            ["Portacode:KeyDirectory"] = Directory.CreateDirectory(_folder["keys"]).FullName,
        };
        foreach (var (name, text) in settings)
            all[name] = text;
        using var configuration = HostConfiguration.Load(all.ToDictionary(static pair => "FurtherLink:" + pair.Key, static pair => pair.Value), new Dictionary<string, string>());
        var options = ServeOptions.Read(configuration);
        await using var app = LinkHost.Build(configuration, options, _sockets, tls: null, running: null, socket: null);
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        Add(values, options);
        var link = app.Services.GetRequiredService<IOptions<LinkOptions>>().Value;
        Add(values, link);
        Add(values, link.Profiles.TryGetValue("*", out var profile) ? profile : new RunProfile());
        Add(values, app.Services.GetRequiredService<IOptions<AccessOptions>>().Value);
        Add(values, app.Services.GetRequiredService<IOptions<WebSocketLinkOptions>>().Value);
        Add(values, app.Services.GetRequiredService<IOptions<PortacodeOptions>>().Value);
        if (app.Services.GetService<IOptions<GattOptions>>() is { } gatt)
            Add(values, gatt.Value);
        return values;
    }

    private static void Add(Dictionary<string, object?> values, object options)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var value = property.GetValue(options);
            // A list is filled again for each application, and groups have settings of their own.
            values[$"{options.GetType().Name}.{property.Name}"] = value switch
            {
                string or ValueType or Uri or SettingValue => value,
                IEnumerable<string> list => list.ToList(),
                _ => null,
            };
        }
    }
}
