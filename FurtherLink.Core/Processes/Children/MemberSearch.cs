using System.Runtime.Versioning;

namespace FurtherLink.Processes.Children;

/// <summary>Finds what programs have started, for all who ask at the same time in one look at the processes. Thread safe.</summary>
/// <param name="table">Where the programs are in.</param>
[SupportedOSPlatform("linux")]
internal sealed class MemberSearch(ChildTable table)
{
    private readonly Lock _lock = new();
    private List<Query> _waiting = [];
    private bool _isLooking;

    /// <summary>The processes that belong to a program, itself not; ended ones that nobody has reaped yet included.</summary>
    /// <param name="program">The program.</param>
    /// <param name="known">Those found before, by id with their start; those found now are added.</param>
    public Task<List<ProcEntry>> FindAsync(ChildProcess program, Dictionary<int, long> known)
    {
        var query = new Query(program, known);
        lock (_lock)
        {
            _waiting.Add(query);
            if (!_isLooking)
            {
                _isLooking = true;
                _ = Task.Run(Look);
            }
        }

        return query.Answer.Task;
    }

    private void Look()
    {
        while (true)
        {
            List<Query> queries;
            lock (_lock)
            {
                queries = _waiting;
                _waiting = [];
                _isLooking = queries.Count > 0;
                if (!_isLooking)
                    return;
            }

            try
            {
                table.FindMembers(queries);
                foreach (var query in queries)
                    query.Answer.TrySetResult(query.Members);
            }
            catch (Exception e)
            {
                foreach (var query in queries)
                    query.Answer.TrySetException(e);
            }
        }
    }

    /// <summary>What is asked about one program.</summary>
    internal class Query(ChildProcess program, Dictionary<int, long> known)
    {
        public ChildProcess Program { get; } = program;

        /// <summary>What of it was found so far, by id with its start.</summary>
        public Dictionary<int, long> Known { get; } = known;

        /// <summary>What of it the last look has found.</summary>
        public List<ProcEntry> Members { get; set; } = [];

        public TaskCompletionSource<List<ProcEntry>> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
