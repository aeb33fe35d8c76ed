using FurtherLink.Host.Configuration;
using FurtherLink.Host.Serving;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace FurtherLink.Tests.Host;

[TestFixture]
internal sealed class HostLoggingTests
{
    [TestCase("Uploaded a\u001b[31m for root", "Uploaded a?[31m for root")]
    [TestCase("one\n07:00:00 info: another", "one 07:00:00 info: another")]
    [TestCase("one\rtwo\u0085\u2028three", "one two  three")]
    [TestCase("turned\u202eround\u0007", "turned?round?")]
    [TestCase("Grüße, 你好", "Grüße, 你好")]
    public void Text_OfAClient_StaysInItsLine(string message, string seen)
    {
        using var services = Build();
        Assert.That(Write(services, message, null), Does.EndWith($" info: FurtherLink.X[0] {seen}{Environment.NewLine}"));
        Assert.That(Write(services, "failed", new IOException(message)), Does.EndWith($" info: FurtherLink.X[0] failed System.IO.IOException: {seen}{Environment.NewLine}"));
    }

    private static string Write(IServiceProvider services, string message, Exception? exception)
    {
        var name = services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName;
        using var output = new StringWriter();
        services.GetServices<ConsoleFormatter>().Single(formatter => formatter.Name == name).Write(
            new LogEntry<string>(LogLevel.Information, "FurtherLink.X", 0, message, exception, static (state, _) => state), null, output);
        return output.ToString();
    }

    private static ServiceProvider Build()
    {
        using var folder = new TemporaryFolder();
        var services = new ServiceCollection();
        var configuration = HostConfiguration.Load(new Dictionary<string, string>(), new Dictionary<string, string>(), folder.Path);
        services.AddSingleton(configuration);
        services.AddLogging(logging => HostLogging.Add(logging, configuration, ServeOptions.Read(configuration)));
        return services.BuildServiceProvider();
    }
}
