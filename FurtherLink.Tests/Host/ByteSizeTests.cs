using FurtherLink.Host.Configuration;
using Microsoft.Extensions.Configuration;

namespace FurtherLink.Tests.Host;

/// <summary>Sizes may be given with a unit, wherever settings come from.</summary>
[TestFixture]
internal sealed class ByteSizeTests
{
    [TestCase("0", 0)]
    [TestCase("1048576", 1L << 20)]
    [TestCase("3K", 3L << 10)]
    [TestCase("3k", 3L << 10)]
    [TestCase("512M", 512L << 20)]
    [TestCase("512MiB", 512L << 20)]
    [TestCase("512 MiB", 512L << 20)]
    [TestCase("512mib", 512L << 20)]
    [TestCase("2G", 2L << 30)]
    [TestCase("2KiB", 2L << 10)]
    [TestCase("1T", 1L << 40)]
    [TestCase("8388607T", 8388607L << 40)]
    public void TryParse_Size_IsBytes(string text, long expected) => Assert.That(ByteSize.TryParse(text), Is.EqualTo(expected));

    [TestCase("")]
    [TestCase("M")]
    [TestCase("MiB")]
    [TestCase("iB")]
    [TestCase("5iB")]
    [TestCase("5B")]
    [TestCase("5MB", Description = "Which may be 1000 or 1024 of something.")]
    [TestCase("-5M")]
    [TestCase("1.5G")]
    [TestCase("5 5M")]
    [TestCase("5P")]
    [TestCase("5MM")]
    [TestCase("0x10")]
    [TestCase("9223372036854775808")]
    [TestCase("8388608T", Description = "2 to the 63rd.")]
    public void TryParse_NoSize_IsNothing(string text) => Assert.That(ByteSize.TryParse(text), Is.Null);

    [Test]
    public void Size_WithAUnit_IsReadAsBytesAndToldAsItIsWritten()
    {
        using var folder = new TemporaryFolder();
        folder.Write("appsettings.json", """{"FurtherLink":{"MaxUpload":"2G","OutputCapacity":8192,"Profiles":{"*":{"Memory":"1G"},"exec":{"Memory":"512 MiB"}}}}""");
        using var configuration = HostConfiguration.Load(
            new Dictionary<string, string> { ["FurtherLink:Profiles:*:Memory"] = "64M" },
            new Dictionary<string, string> { ["FurtherLink__InputCapacity"] = "64KiB" },
            folder.Path);
        SettingsCheck.Run(configuration);
        var options = new LinkOptions();
        configuration.Root.GetSection(HostConfiguration.Section).Bind(options);
        Assert.That((options.MaxUpload, options.OutputCapacity, options.InputCapacity), Is.EqualTo((2L << 30, 8192, 65536)));
        Assert.That((options.Profiles["*"].Memory, options.Profiles["exec"].Memory), Is.EqualTo((64L << 20, 512L << 20)));
        Assert.That(configuration.Find("FurtherLink:MaxUpload")!.Text, Is.EqualTo("2G"));
    }

    [Test]
    public void Size_OfEverySetting_MayHaveAUnit([ValueSource(nameof(Sizes))] string name)
    {
        var setting = Settings.All.Single(one => one.Name == name);
        Assert.That(setting.Check("64M"), Is.Null);
        Assert.That(setting.Check("64X"), Does.StartWith("must be").And.Contains("64M"));
    }

    private static IEnumerable<string> Sizes() => Settings.All.Where(static setting => setting.IsSize).Select(static setting => setting.Name);
}
