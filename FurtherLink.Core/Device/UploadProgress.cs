using Microsoft.Extensions.Logging;

namespace FurtherLink.Device;

/// <summary>Says in the log how far a long upload is: once for every 10 %, and where that takes long every 2 s. One thread at a time.</summary>
/// <param name="what">What it is about, for the log.</param>
/// <param name="total">Bytes in all; 0 = not known.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed partial class UploadProgress(string what, long total, TimeProvider time, ILogger logger)
{
    // Below this nobody would want to know.
    private const long Notable = 1024 * 1024;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private long _said = time.GetTimestamp();
    private long _done;
    private long _tenths;

    /// <summary>Tells that more bytes have arrived or been written.</summary>
    public void Add(long bytes)
    {
        _done += bytes;
        var tenths = total >= Notable ? Math.Min(_done * 10 / total, 10) : 0;
        if (tenths == _tenths && time.GetElapsedTime(_said) < Interval)
            return;
        _tenths = tenths;
        _said = time.GetTimestamp();
        if (total > 0)
            Log.PartDone(logger, what, _done, total, _done * 100 / total);
        else
            Log.BytesDone(logger, what, _done);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Upload of {What}: {Done} of {Total} bytes, {Percent} %")]
        public static partial void PartDone(ILogger logger, string what, long done, long total, long percent);

        [LoggerMessage(LogLevel.Information, "Upload of {What}: {Done} bytes")]
        public static partial void BytesDone(ILogger logger, string what, long done);
    }
}
