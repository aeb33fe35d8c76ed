using FurtherLink.Host.Configuration;

namespace FurtherLink.Host.Serving;

/// <summary>Where and what the host logs: standard error, one line each.</summary>
internal static class HostLogging
{
    /// <summary>Adds it.</summary>
    public static void Add(ILoggingBuilder logging, HostConfiguration configuration, ServeOptions options)
    {
        logging.AddSimpleConsole(static console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        });
        logging.AddConsoleFormatter<PlainFormatter, Microsoft.Extensions.Logging.Console.ConsoleFormatterOptions>();
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(static console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.FormatterName = PlainFormatter.FormatterName;
        });
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddConfiguration(configuration.Root.GetSection("Logging"));
        // Whatever is asked for: it writes whole addresses, in which people put tokens, though none counts there.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        if (options.Debug)
            logging.AddFilter("FurtherLink", LogLevel.Debug);
    }
}
