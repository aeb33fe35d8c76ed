using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests;

/// <summary>A generic host that is set up wrong does not start, and says which setting is to be what.</summary>
[TestFixture]
internal sealed class OptionsValidationTests
{
    [TestCase("FurtherLink:OutputCapacity", "10", "At least 4096.")]
    [TestCase("FurtherLink:OutputCapacity", "much", "'much'")]
    [TestCase("FurtherLink:MaxMessage", "1023", "At least 1024.")]
    [TestCase("FurtherLink:SpillRetention", "00:00:00", "At least 1 s.")]
    [TestCase("FurtherLink:AdoptOrphans", "perhaps", "perhaps")]
    [TestCase("FurtherLink:KeepAliveInterval", "00:00:00", "More than zero.")]
    [TestCase("FurtherLink:LoginLifetime", "00:00:00", "At least 1 s.")]
    [TestCase("FurtherLink:Portacode:FileShare", "2", "0.01 to 0.99.")]
    [TestCase("FurtherLink:Portacode:GatewayUrl", "https://example.org", "An address that begins with ws:// or wss://.")]
    [TestCase("FurtherLink:Portacode:Bandwidth:a", "fast", "fast")]
    [TestCase("FurtherLink:Portacode:Transfers:MaxEntries", "0", "At least 1.")]
    public async Task Value_ThatCannotBeBound_IsNamedWithItsKey(string key, string value, string reason)
    {
        var failures = await FailuresAsync(new() { [key] = value, ["FurtherLink:MaxExited"] = "5" });
        Assert.That(failures, Has.Length.EqualTo(1).And.All.StartsWith($"{key}: \"{value}\" cannot be used: ").And.All.Contains(reason));
        Assert.That(failures, Has.None.Contains("Parameter"));
    }

    [TestCase("FurtherLink:StopGrace", "-00:00:01", "StopGrace")]
    [TestCase("FurtherLink:InputTimeout", "-00:00:01", "InputTimeout")]
    [TestCase("FurtherLink:InputTimeout", "50.00:00:00", "InputTimeout")]
    [TestCase("FurtherLink:KeepExited", "-00:00:01", "KeepExited")]
    [TestCase("FurtherLink:ClientStallTimeout", "00:00:00", "ClientStallTimeout")]
    [TestCase("FurtherLink:SpillRetention", "60.00:00:00", "SpillRetention")]
    [TestCase("FurtherLink:MaxUpload", "0", "MaxUpload")]
    [TestCase("FurtherLink:TempDirectory", "", "TempDirectory")]
    [TestCase("FurtherLink:SpillCapacity", "1048576", "SpillDirectory")]
    [TestCase("FurtherLink:Runners:node:Command", "node \"{file}", "Runners:node:Command")]
    [TestCase("FurtherLink:Runners:node:Command", " ", "Runners:node:Command")]
    [TestCase("FurtherLink:Runners:node:Extension", "js", "Runners:node:Command|Runners:node:Extension")]
    [TestCase("FurtherLink:Profiles:*:Memory", "1000", "Profiles:*:Memory")]
    [TestCase("FurtherLink:Profiles:exec:CpuTime", "00:00:00.5", "Profiles:exec:CpuTime")]
    [TestCase("FurtherLink:Profiles:exec:Cpus", "0.001", "Profiles:exec:Cpus")]
    [TestCase("FurtherLink:Profiles:exec:Cpus", "NaN", "Profiles:exec:Cpus")]
    [TestCase("FurtherLink:Profiles:exec:OpenFiles", "15", "Profiles:exec:OpenFiles")]
    [TestCase("FurtherLink:Profiles:exec:Processes", "0", "Profiles:exec:Processes")]
    [TestCase("FurtherLink:Profiles:exec:WallTime", "00:00:00", "Profiles:exec:WallTime")]
    [TestCase("FurtherLink:Profiles:exec:Network", "true", "Profiles:exec:Network")]
    [TestCase("FurtherLink:TrustedOrigins:0", "example.org", "TrustedOrigins")]
    [TestCase("FurtherLink:AllowedOrigins:0", "example.org", "AllowedOrigins")]
    [TestCase("FurtherLink:AllowedHosts:0", "*", "AllowedHosts")]
    [TestCase("FurtherLink:LoginLifetime", "60.00:00:00", "LoginLifetime")]
    [TestCase("FurtherLink:TrustedOrigins:0", "https://*.example.org", "TrustedOrigins")]
    [TestCase("FurtherLink:Portacode:GatewayUrl", "wss://example.org", "Portacode:KeyDirectory")]
    [TestCase("FurtherLink:Portacode:Bandwidth:a", "-1", "Portacode:Bandwidth:a")]
    public async Task Value_ThatMakesNoSense_IsNamed(string key, string value, string names)
    {
        var failures = await FailuresAsync(new() { [key] = value });
        Assert.That(failures.Select(failure => failure[..failure.IndexOfAny([' ', '"'])].TrimEnd(':')), Is.EqualTo(names.Split('|')));
        Assert.That(failures, Has.All.Contain("must").Or.All.Contain("not closed"));
    }

    [Test]
    public async Task Mistakes_Several_AreAllTold()
    {
        var failures = await FailuresAsync(new() { ["FurtherLink:OutputCapacity"] = "1", ["FurtherLink:InputCapacity"] = "x", ["FurtherLink:MaxUpload"] = "1" });
        Assert.That(failures, Has.Length.EqualTo(2).And.Some.Contains("OutputCapacity").And.Some.Contains("InputCapacity"));
    }

    [Test]
    public void Value_SetInCode_IsCheckedToo()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddFurtherLink().AddStandardRunners();
        builder.Services.Configure<LinkOptions>(options => options.Runners["node"] = new RunnerOptions { Command = "node '" });
        using var host = builder.Build();
        Assert.That(
            async () => await host.StartAsync(),
            Throws.TypeOf<OptionsValidationException>().With.Message.StartsWith("Runners:node:Command cannot be used: A quote is not closed"));
    }

    [Test]
    public async Task Host_SetUpRight_Starts()
    {
        using var host = Make(new()
        {
            ["FurtherLink:OutputCapacity"] = "8192",
            ["FurtherLink:StopGrace"] = "00:00:00",
            ["FurtherLink:TrustedOrigins:0"] = "https://example.org",
            ["FurtherLink:TrustedOrigins:1"] = "http://localhost:3000/",
            ["FurtherLink:Runners:node:Command"] = "node {file}",
            ["FurtherLink:Runners:node:Extension"] = ".js",
        });
        await host.StartAsync();
        Assert.That(host.Services.GetRequiredService<IOptions<LinkOptions>>().Value.OutputCapacity, Is.EqualTo(8192));
        await host.StopAsync();
    }

    private static async Task<string[]> FailuresAsync(Dictionary<string, string?> settings)
    {
        using var host = Make(settings);
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        return [.. fault!.Failures];
    }

    private static IHost Make(Dictionary<string, string?> settings)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings);
        var section = builder.Configuration.GetSection("FurtherLink");
        builder.Services.AddFurtherLink(section).AddStandardRunners().AddWebSockets(section).AddPortacode(section.GetSection("Portacode"));
        return builder.Build();
    }
}
