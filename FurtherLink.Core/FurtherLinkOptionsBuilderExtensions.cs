using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Takes options from a configuration, and says which setting is wrong where that fails.</summary>
public static class FurtherLinkOptionsBuilderExtensions
{
    /// <summary>
    /// Binds options to a section. A value that cannot be read, or that the options refuse, becomes an <see cref="OptionsValidationException"/>
    /// that names the setting by its full key.
    /// </summary>
    /// <param name="builder">The options.</param>
    /// <param name="section">The section, or the whole configuration.</param>
    /// <param name="bind">Binds the one to the other: a call of Bind, which the compiler sees the type of.</param>
    /// <typeparam name="T">The type of the options.</typeparam>
    public static OptionsBuilder<T> BindSettings<T>(this OptionsBuilder<T> builder, IConfiguration section, Action<IConfiguration, T> bind)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(section);
        ArgumentNullException.ThrowIfNull(bind);
        builder.Services.AddSingleton<IOptionsChangeTokenSource<T>>(new ConfigurationChangeTokenSource<T>(builder.Name, section));
        return builder.Configure(options => Apply(builder.Name, section, options, bind));
    }

    private static void Apply<T>(string name, IConfiguration section, T options, Action<IConfiguration, T> bind)
        where T : class, new()
    {
        try
        {
            bind(section, options);
        }
        catch (Exception e) when (IsMistake(e))
        {
            var mistakes = Leaves(section).Select(leaf => Try(section, leaf, bind)).OfType<string>().ToList();
            throw new OptionsValidationException(name, typeof(T), mistakes.Count > 0 ? mistakes : [Reason(e)]);
        }
    }

    // The binder does not tell which setting an option refused: each is tried by itself.
    private static string? Try<T>(IConfiguration section, IConfigurationSection leaf, Action<IConfiguration, T> bind)
        where T : new()
    {
        var key = section is IConfigurationSection { Path: var path } ? leaf.Path[(path.Length + 1)..] : leaf.Path;
        var alone = new ConfigurationBuilder().AddInMemoryCollection([new(key, leaf.Value)]).Build();
        try
        {
            bind(alone, new T());
            return null;
        }
        catch (Exception e) when (IsMistake(e))
        {
            return $"{leaf.Path}: \"{leaf.Value}\" cannot be used: {Reason(e)}";
        }
    }

    private static IEnumerable<IConfigurationSection> Leaves(IConfiguration section) =>
        section.GetChildren().SelectMany(child => child.Value is null ? Leaves(child) : Leaves(child).Prepend(child));

    // What the binder throws for a text that is no number, and what the properties of options throw.
    private static bool IsMistake(Exception exception) => exception is InvalidOperationException or ArgumentException or FormatException;

    // An argument's exception says behind its own words what the property calls the value.
    private static string Reason(Exception exception)
    {
        var words = (exception is InvalidOperationException { InnerException: { } inner } ? inner : exception).Message;
        var end = words.IndexOf(" (Parameter ", StringComparison.Ordinal);
        return end < 0 ? words : words[..end];
    }
}
