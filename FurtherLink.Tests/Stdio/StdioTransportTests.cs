using System.IO.Pipelines;
using FurtherLink.Messages;
using FurtherLink.Tests.Support;
using FurtherLink.Transports.Stdio;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FurtherLink.Tests.Stdio;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class StdioTransportTests
{
    private readonly Pipe _in = new();
    private readonly Pipe _out = new();

    [Test]
    public async Task Input_Ends_StopsTheApplicationOnceEverythingIsSaid()
    {
        using var host = Build();
        await host.StartAsync();
        await using var client = Client();
        await client.StartAsync("1", "exec", "#!/bin/sh\necho up; sleep 1000");
        await client.OutputUntilAsync("up");
        await _in.Writer.CompleteAsync();
        Assert.That((await client.RunAsync("1")).ExitCode, Is.EqualTo(-15));
        await host.WaitForShutdownAsync().WaitAsync(Patience.Long);
    }

    [Test]
    public async Task Input_EndsBeforeAnything_StopsTheApplicationAfterItsStart()
    {
        await _in.Writer.CompleteAsync();
        using var host = Build();
        await host.StartAsync();
        await host.WaitForShutdownAsync().WaitAsync(Patience.Long);
    }

    [Test]
    public async Task Access_OfAViewer_LetsNothingBeStarted()
    {
        using var host = Build(options => (options.Access, options.StopsApplication) = (Access.View, false));
        await host.StartAsync();
        await using var client = Client();
        await client.StartAsync("1", "exec", "#!/bin/sh\necho up");
        Assert.That((string?)(await client.UntilAsync("error"))["data"]!["detail"], Does.Contain("right to drive"));
        await client.PingAsync();
        await host.StopAsync();
        Assert.That(await client.NextAsync(), Is.Null);
    }

    [Test]
    public void Options_WithoutAccess_AreRefused() =>
        Assert.That(() => new StdioOptions { Access = Access.None }, Throws.InstanceOf<ArgumentOutOfRangeException>());

    private FurtherTestClient Client() => new(new LineWire(_out.Reader.AsStream(), _in.Writer.AsStream()));

    private IHost Build(Action<StdioOptions>? configure = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddFurtherLink().AddStandardRunners().AddStdio(options =>
        {
            options.Input = _in.Reader.AsStream();
            options.Output = _out.Writer.AsStream();
            configure?.Invoke(options);
        });
        var host = builder.Build();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopped.Register(() => _out.Writer.Complete());
        return host;
    }
}
