using FurtherLink.Client;

namespace FurtherLink.Host.Consoles;

/// <summary>
/// Shows how far a transfer is: on a terminal a bar that moves, elsewhere a line every 2 s, and one at its end. Disposing it takes the bar away. Thread
/// safe.
/// </summary>
internal sealed class TransferMeter : IProgress<TransferProgress>, IAsyncDisposable
{
    private const int Width = 24;

    private static readonly TimeSpan BarTime = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan LineTime = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Notes _notes;
    private readonly bool _isBar;
    private readonly TimeProvider _time;
    private readonly long _begin;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _showing;
    private TransferProgress _progress;

    /// <summary>Begins.</summary>
    /// <param name="notes">What shows it.</param>
    /// <param name="isBar">Whether that is a terminal.</param>
    /// <param name="time">The clock.</param>
    public TransferMeter(Notes notes, bool isBar, TimeProvider time)
    {
        _notes = notes;
        _isBar = isBar;
        _time = time;
        _begin = time.GetTimestamp();
        _showing = ShowAsync();
    }

    /// <inheritdoc/>
    public void Report(TransferProgress value)
    {
        lock (_lock)
            _progress = value;
    }

    /// <summary>Shows that all has been transferred.</summary>
    public void Complete()
    {
        _stop.Cancel();
        Erase();
        var (progress, elapsed) = Now();
        _notes.Say($"{Files(progress.TotalFiles)}, {Bytes(progress.TotalBytes)}, {Speed(progress.TotalBytes, elapsed)}");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_stop.IsCancellationRequested)
        {
            await _stop.CancelAsync();
            Erase();
        }

        await _showing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    /// <summary>The bar.</summary>
    internal static string Bar(TransferProgress progress, TimeSpan elapsed)
    {
        var share = Share(progress);
        var full = (int)(share * Width);
        return $"[{new string('#', full)}{new string('.', Width - full)}] {Text(progress, elapsed)}";
    }

    /// <summary>How far it is, in words.</summary>
    internal static string Text(TransferProgress progress, TimeSpan elapsed) =>
        $"{(int)(Share(progress) * 100),3}%  {Bytes(progress.Bytes)} of {Bytes(progress.TotalBytes)}, {progress.Files} of {Files(progress.TotalFiles)}, {Speed(progress.Bytes, elapsed)}";

    private static double Share(TransferProgress progress) => progress.TotalBytes == 0 ? 0 : (double)progress.Bytes / progress.TotalBytes;

    private static string Files(int count) => count == 1 ? "1 file" : $"{count} files";

    private static string Speed(long bytes, TimeSpan elapsed) => $"{Bytes((long)(bytes / Math.Max(elapsed.TotalSeconds, 0.001)))}/s";

    private static string Bytes(long count) => count switch
    {
        < 1024 => $"{count} B",
        < 1024 * 1024 => $"{count / 1024.0:0.0} KiB",
        < 1024 * 1024 * 1024 => $"{count / (1024.0 * 1024):0.0} MiB",
        _ => $"{count / (1024.0 * 1024 * 1024):0.00} GiB",
    };

    private (TransferProgress Progress, TimeSpan Elapsed) Now()
    {
        lock (_lock)
            return (_progress, _time.GetElapsedTime(_begin));
    }

    private void Erase()
    {
        if (_isBar)
            _notes.Draw("");
    }

    private async Task ShowAsync()
    {
        using var timer = new PeriodicTimer(_isBar ? BarTime : LineTime, _time);
        while (await timer.WaitForNextTickAsync(_stop.Token))
        {
            var (progress, elapsed) = Now();
            if (progress.TotalFiles == 0)
                continue;
            if (_isBar)
                _notes.Draw(Bar(progress, elapsed));
            else
                _notes.Say(Text(progress, elapsed).TrimStart());
        }
    }
}
