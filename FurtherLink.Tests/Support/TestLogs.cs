using Microsoft.Extensions.Logging;

namespace FurtherLink.Tests.Support;

/// <summary>Shows what is logged with the test that caused it.</summary>
internal sealed class TestLogs : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, TestContext.Progress);

    public void Dispose()
    {
    }

    private sealed class Logger(string category, TextWriter output) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                output.WriteLine($"{logLevel} {category}: {formatter(state, exception)}{(exception is null ? "" : $"\n{exception}")}");
        }
    }
}
