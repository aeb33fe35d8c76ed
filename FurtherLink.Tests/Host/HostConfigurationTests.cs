using System.Reflection;
using FurtherLink.Host.Configuration;
using FurtherLink.Transports.Portacode;
using FurtherLink.Transports.WebSockets;

namespace FurtherLink.Tests.Host;

[TestFixture]
internal sealed class HostConfigurationTests
{
    private TemporaryFolder _beside = null!;
    private TemporaryFolder _working = null!;

    public static IEnumerable<Setting> Single => Settings.All.Where(setting => setting.Shape == SettingShape.Value);

    [SetUp]
    public void SetUp()
    {
        _beside = new TemporaryFolder();
        _working = new TemporaryFolder();
    }

    [TearDown]
    public void TearDown()
    {
        _beside.Dispose();
        _working.Dispose();
    }

    [TestCaseSource(nameof(Single))]
    public void Value_GivenEveryWay_TheStrongestWins(Setting setting)
    {
        var variables = new Dictionary<string, string>();
        var commandLine = new Dictionary<string, string>();

        _beside.Write("appsettings.json", $$"""{"FurtherLink":{"{{setting.Name}}":"beside"} }""");
        AssertFound("beside", _beside["appsettings.json"]);
        _working.Write("appsettings.json", $$"""{"FurtherLink":{"{{setting.Name}}":"working"} }""");
        AssertFound("working", _working["appsettings.json"]);
        var nested = "FurtherLink__" + setting.Name.Replace(":", "__", StringComparison.Ordinal);
        variables[nested] = "nested";
        AssertFound("nested", nested);
        if (setting.Variable is { } variable)
        {
            variables[variable] = "variable";
            AssertFound("variable", variable);
        }

        if (setting.Option is { } option)
        {
            commandLine[setting.Key] = "option";
            AssertFound("option", option);
        }

        void AssertFound(string text, string origin)
        {
            using var configuration = HostConfiguration.Load(commandLine, variables, _beside.Path, _working.Path);
            Assert.Multiple(() =>
            {
                Assert.That(configuration.Find(setting.Key), Is.EqualTo(new SettingValue(text, origin)));
                Assert.That(configuration.Root[setting.Key], Is.EqualTo(text), "what the libraries bind");
            });
        }
    }

    [TestCase("FURTHER_LINK_PORT", "Port", "9000")]
    [TestCase("FURTHER_LINK_WORK_DIR", "WorkDirectory", "/w")]
    [TestCase("FURTHER_LINK_TEMP_DIR", "TempDirectory", "/t")]
    [TestCase("FURTHER_LINK_MINISCREEN_PROJECTS_DIR", "MiniscreenProjectsDirectory", "/p")]
    [TestCase("FURTHER_VENV", "PythonVenv", "/v")]
    public void ExistingVariable_Set_IsTheSetting(string variable, string name, string text)
    {
        Assert.That(WithVariable(variable, text, "FurtherLink:" + name), Is.EqualTo(text));
    }

    [TestCase("FURTHER_LINK_PORT", "Port")]
    [TestCase("FURTHER_LINK_WORK_DIR", "WorkDirectory")]
    [TestCase("FURTHER_LINK_DEBUG", "Debug")]
    public void ExistingVariable_Empty_SaysNothing(string variable, string name)
    {
        Assert.That(WithVariable(variable, "", "FurtherLink:" + name), Is.Null);
    }

    [TestCase("1", "true")]
    [TestCase("true", "true")]
    [TestCase("TRUE", "true")]
    [TestCase("yes", "true")]
    [TestCase("0", "false")]
    [TestCase("false", "false")]
    [TestCase("False", "false")]
    public void NoSsl_AnyTextButOff_TurnsTlsOff(string text, string expected)
    {
        Assert.That(WithVariable("FURTHER_LINK_NOSSL", text, "FurtherLink:NoTls"), Is.EqualTo(expected));
    }

    [TestCase("1")]
    [TestCase("0")]
    [TestCase("anything")]
    public void Debug_AnyText_TurnsItOn(string text)
    {
        Assert.That(WithVariable("FURTHER_LINK_DEBUG", text, "FurtherLink:Debug"), Is.EqualTo("true"));
    }

    [Test]
    public void List_InSeveralSources_IsTheStrongestAlone()
    {
        _working.Write("appsettings.json", """{"FurtherLink":{"TrustedOrigins":["https://a","https://b","https://c"]}}""");
        var variables = new Dictionary<string, string>();
        Assert.That(Origins([]), Is.EqualTo(new[] { "https://a", "https://b", "https://c" }));
        variables["FurtherLink__TrustedOrigins__0"] = "https://d";
        Assert.That(Origins([]), Is.EqualTo(new[] { "https://d" }));
        variables["FURTHER_LINK_TRUSTED_ORIGINS"] = "https://e, https://f";
        Assert.That(Origins([]), Is.EqualTo(new[] { "https://e", "https://f" }));
        Assert.That(Origins(new Dictionary<string, string> { ["FurtherLink:TrustedOrigins"] = "https://g" }), Is.EqualTo(new[] { "https://g" }));

        IReadOnlyList<string> Origins(Dictionary<string, string> commandLine)
        {
            using var configuration = HostConfiguration.Load(commandLine, variables, _working.Path);
            return ServeOptions.Read(configuration).TrustedOrigins;
        }
    }

    [Test]
    public void Options_NothingGiven_AreTheDefaults()
    {
        using var configuration = HostConfiguration.Load(new Dictionary<string, string>(), new Dictionary<string, string>(), _working.Path);
        var options = ServeOptions.Read(configuration);
        Assert.Multiple(() =>
        {
            Assert.That(options.Port, Is.EqualTo(8028));
            Assert.That(options.Addresses, Is.EqualTo(new[] { "loopback" }));
            Assert.That(options.NoTls, Is.False);
            Assert.That(options.Debug, Is.False);
            Assert.That(options.TrustedOrigins, Is.Empty);
        });
    }

    [Test]
    public void File_NotJson_IsNamed()
    {
        var path = _working.Write("appsettings.json", "{ \"FurtherLink\": ");
        var exception = Assert.Throws<SettingException>(() => HostConfiguration.Load(new Dictionary<string, string>(), new Dictionary<string, string>(), _working.Path).Dispose());
        Assert.That(exception.Message, Does.Contain(path));
    }

    [Test]
    public void Settings_OfTheLibraries_AreAllKnownToTheHost()
    {
        var names = new[] { typeof(LinkOptions), typeof(WebSocketLinkOptions) }
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance)).Select(property => property.Name)
            .Concat(typeof(PortacodeOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => "Portacode:" + property.Name));
        Assert.That(Settings.All.Select(setting => setting.Name), Is.SupersetOf(names));
    }

    private string? WithVariable(string variable, string text, string key)
    {
        using var configuration = HostConfiguration.Load(new Dictionary<string, string>(), new Dictionary<string, string> { [variable] = text }, _working.Path);
        return configuration.Find(key)?.Text;
    }
}
