namespace FurtherLink.Processes;

/// <summary>Runners that are known only once the settings are: registered beside single ones, which it stands behind.</summary>
public interface IRunnerSource
{
    /// <summary>The runners, the same at each call.</summary>
    IReadOnlyList<IProcessRunner> Runners { get; }
}
