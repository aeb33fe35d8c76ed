using FurtherLink.Tests.Host;
using FurtherLink.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FurtherLink.Tests.Holding;

/// <summary>The holder as a host of its own in this process, and devices that use it.</summary>
internal sealed class HolderInProcess : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IHost _holder;

    private HolderInProcess(Action<LinkOptions>? configure)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddFurtherLink().AddStandardRunners().BeHolder(holder => holder.Socket = Socket);
        builder.Services.Configure<LinkOptions>(options =>
        {
            options.TempDirectory = _folder.Path;
            configure?.Invoke(options);
        });
        _holder = builder.Build();
    }

    private string Socket => _folder["holder"];

    /// <summary>Starts it.</summary>
    /// <param name="configure">Changes its settings.</param>
    public static async Task<HolderInProcess> StartAsync(Action<LinkOptions>? configure = null)
    {
        var holder = new HolderInProcess(configure);
        await holder._holder.StartAsync();
        return holder;
    }

    /// <summary>A device whose kept sessions run there.</summary>
    public TestHost Connect(Action<LinkBuilder>? add = null) => new(builder =>
    {
        builder.AddHolder(holder =>
        {
            holder.Socket = Socket;
            holder.Launch = static () => { };
        });
        add?.Invoke(builder);
    });

    public async ValueTask DisposeAsync()
    {
        await _holder.StopAsync();
        if (_holder is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        _folder.Dispose();
    }
}
