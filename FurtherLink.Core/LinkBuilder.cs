using FurtherLink.Codecs;
using FurtherLink.Peers;
using FurtherLink.Processes;
using Microsoft.Extensions.DependencyInjection;

namespace FurtherLink;

/// <summary>A dialect that connections can speak.</summary>
/// <param name="Name">What <see cref="LinkConnection.Codec"/> calls it.</param>
/// <param name="Create">Makes the codec of one connection.</param>
public sealed record LinkCodec(string Name, Func<LinkConnection, IMessageCodec> Create);

/// <summary>Adds runners, codecs and services to FurtherLink.</summary>
/// <param name="services">The collection that everything is registered in.</param>
public sealed class LinkBuilder(IServiceCollection services)
{
    /// <summary>The collection that everything is registered in.</summary>
    public IServiceCollection Services { get; } = services;

    /// <summary>Adds a way to run programs; one registered later under the same name wins.</summary>
    public LinkBuilder AddRunner(Func<IServiceProvider, IProcessRunner> create)
    {
        Services.AddSingleton(create);
        return this;
    }

    /// <summary>Adds a dialect; one registered later under the same name wins.</summary>
    public LinkBuilder AddCodec(string name, Func<LinkConnection, IMessageCodec> create)
    {
        Services.AddSingleton(new LinkCodec(name, create));
        return this;
    }

    /// <summary>Adds a service that answers calls.</summary>
    public LinkBuilder AddService(Func<IServiceProvider, IService> create)
    {
        Services.AddSingleton(create);
        return this;
    }
}
