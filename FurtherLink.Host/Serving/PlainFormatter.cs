using FurtherLink.Host.Consoles;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace FurtherLink.Host.Serving;

/// <summary>
/// The simple console's lines, in which what clients have named can neither begin a line of its own nor steer the terminal that the log is read on.
/// </summary>
/// <param name="services">Has the simple console's formatter, which comes after this one.</param>
internal sealed class PlainFormatter(IServiceProvider services) : ConsoleFormatter(FormatterName)
{
    /// <summary>Its name.</summary>
    public const string FormatterName = "furtherlink";

    private ConsoleFormatter? _simple;

    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        // A setting that keeps the host from starting is told as the reason of its end, without where in the code it was found.
        if (logEntry.Exception is OptionsValidationException && logEntry.Category == "Microsoft.Extensions.Hosting.Internal.Host")
            return;
        _simple ??= services.GetServices<ConsoleFormatter>().First(static formatter => formatter.Name == ConsoleFormatterNames.Simple);
        var (message, exception) = (logEntry.Formatter, logEntry.Exception);
        _simple.Write(
            new LogEntry<TState>(
                logEntry.LogLevel, logEntry.Category, logEntry.EventId, logEntry.State, exception: null,
                (state, _) => Plain(exception is null ? message(state, exception) : $"{message(state, exception)} {exception}")),
            scopeProvider, textWriter);
    }

    private static string Plain(string text) => PlainText.Of(text.ReplaceLineEndings(" "));
}
