namespace FurtherLink.Processes.ControlGroups;

/// <summary>The files in which the kernel shows control groups (cgroups(7), version 2) and takes orders for them. Thread safe.</summary>
internal interface IGroupFiles
{
    /// <summary>What a file says; null where there is none, or it may not be read.</summary>
    string? Read(string path);

    /// <summary>Writes a file that is there already, all at once.</summary>
    /// <returns>Why that was refused, in words; null where it was done.</returns>
    string? Write(string path, string text);

    /// <summary>Makes a group.</summary>
    /// <returns>Why that was refused, in words; null where it was done.</returns>
    string? Make(string path);

    /// <summary>Removes a group that has neither processes nor groups in it.</summary>
    /// <returns>Whether it is gone.</returns>
    bool Remove(string path);

    /// <summary>The groups in a group, by path.</summary>
    IReadOnlyList<string> Groups(string path);
}
