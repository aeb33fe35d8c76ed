namespace FurtherLink.Load.Peers;

/// <summary>What is measured, beside another one: a server that runs a program for a client. A further peer is one more class.</summary>
internal interface IPeer : IDisposable
{
    /// <summary>What it is called in the table.</summary>
    string Name { get; }

    /// <summary>The process whose processor time counts.</summary>
    ServerProcess Server { get; }

    /// <summary>Connects, and starts a program.</summary>
    /// <param name="command">A command line for sh, without quotes.</param>
    /// <param name="terminal">Whether it runs on a terminal; else on pipes.</param>
    Link Open(string command, bool terminal);
}
