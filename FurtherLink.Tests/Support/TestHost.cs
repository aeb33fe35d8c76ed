using System.Collections.Concurrent;
using FurtherLink.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace FurtherLink.Tests.Support;

/// <summary>The core in a web app that listens only when a test asks it to.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ConnectionContext> _connections = new();
    private Task? _listening;

    public TestHost(
        Action<LinkBuilder>? add = null, Action<LinkOptions>? configure = null, TimeProvider? time = null, Action<IEndpointRouteBuilder>? map = null)
    {
        var web = WebApplication.CreateSlimBuilder();
        web.WebHost.UseUrls("http://127.0.0.1:0");
        web.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.Use(next => connection =>
        {
            _connections.Enqueue(connection);
            return next(connection);
        })));
        web.Logging.ClearProviders().AddProvider(new TestLogs()).SetMinimumLevel(LogLevel.Debug);
        if (time is not null)
            web.Services.Replace(ServiceDescriptor.Singleton(time));
        var builder = web.Services.AddFurtherLink().AddStandardRunners().AddWebSockets();
        web.Services.Configure<LinkOptions>(options =>
        {
            options.WorkDirectory = Directory.CreateDirectory(Path.Combine(Folder, "work")).FullName;
            options.TempDirectory = Directory.CreateDirectory(Path.Combine(Folder, "tmp")).FullName;
            configure?.Invoke(options);
        });
        builder.AddRunner(_ => Runner);
        add?.Invoke(builder);
        _app = web.Build();
        _app.MapFurtherLink();
        map?.Invoke(_app);
    }

    /// <summary>A folder of this host's own, removed with it; every user may enter it.</summary>
    public string Folder { get; } = MakeFolder();

    /// <summary>The runner named "fake".</summary>
    public FakeRunner Runner { get; } = new();

    public SessionTable Sessions => Get<SessionTable>();

    public ILinkServer Server => Get<ILinkServer>();

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>A client of the native dialect over memory.</summary>
    public FurtherTestClient Connect() => new(new MemoryWire(Server));

    /// <summary>A client of the native dialect over a real WebSocket.</summary>
    public async Task<FurtherTestClient> ConnectWebSocketAsync(string pathAndQuery = "/run") =>
        new(await WebSocketWire.ConnectAsync(new Uri(await ListenAsync("ws"), pathAndQuery)));

    /// <summary>Listens, and tells where.</summary>
    public async Task<Uri> ListenAsync(string scheme)
    {
        await (_listening ??= _app.StartAsync());
        var address = new Uri(Get<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return new UriBuilder(address) { Scheme = scheme }.Uri;
    }

    /// <summary>Cuts all connections, as a broken network does.</summary>
    public void CutConnections()
    {
        while (_connections.TryDequeue(out var connection))
            connection.Abort();
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        if (_listening is not null)
            await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private static string MakeFolder()
    {
        var folder = Directory.CreateTempSubdirectory("furtherlink-test-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        return folder;
    }
}
