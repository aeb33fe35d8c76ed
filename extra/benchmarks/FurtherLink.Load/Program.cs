using System.CommandLine;
using FurtherLink.Load;
using FurtherLink.Load.Measures;
using FurtherLink.Load.Peers;

var host = new Option<string>("--host") { Description = "The published host's executable.", Required = true };
var floor = new Option<string>("--floor") { Description = "The executable of floor.c.", Required = true };
var bare = new Option<string>("--bare") { Description = "The published BareServer's executable.", Required = true };
var only = new Option<string[]>("--only") { Description = "Which measurements; else all.", AllowMultipleArgumentsPerToken = true };
var rounds = new Option<int>("--rounds") { Description = "Rounds of each.", DefaultValueFactory = static _ => 9 };
var quick = new Option<bool>("--quick") { Description = "Little of everything: shows that it works, not how fast it is." };
var table = new Option<string?>("--table") { Description = "Writes the table to this file, too." };
var strict = new Option<bool>("--strict") { Description = "Ends with 1 where a figure is not what it must be." };

var command = new RootCommand("Measures FurtherLink beside others, alternating, and prints medians and their ratios.") { host, floor, bare, only, rounds, quick, table, strict };
command.SetAction(arguments =>
{
    var little = arguments.GetValue(quick);
    var ours = arguments.GetValue(host)!;
    var raw = arguments.GetValue(floor)!;
    var plain = arguments.GetValue(bare)!;
    var characters = little ? 50 : 1000;
    var rows = (string what, double[] must, double[] aim) => new Row[] { new($"{what}, p50", "us", must[0], aim[0]), new($"{what}, p99", "us", must[1], aim[1]) };
    using var file = new PrintedFile(little ? 1 << 20 : 1 << 26);
    using var share = new PrintedFile(file.Length / 10);

    IMeasure[] all =
    [
        new StartupMeasure(ours, plain),
        new Comparison("echo-pty", Ours, Floor, rows("echo through a pty", [1.6, 1.7], [1.25, 1.3]), peer => Measurements.Echo(peer, terminal: true, characters)),
        new Comparison("echo-pipes", Ours, Websocketd, rows("echo through pipes", [1, 1], [0.7, 0.9]), peer => Measurements.Echo(peer, terminal: false, characters)),
        new FloodMeasure(ours, characters),
        new Comparison("output-pty", Ours, Floor,
            [new("output through a pty", "MB/s", 0.8, 0.95, MoreIsBetter: true), new("processor time of that", "s/GB", 1.6, 1.2)], peer => Measurements.Print(peer, terminal: true, file)),
        new Comparison("output-pipes", Ours, Websocketd,
            [new("output through pipes", "MB/s", 1, 1.5, MoreIsBetter: true), new("processor time of that", "s/GB", 0.9, 0.5)], peer => Measurements.Print(peer, terminal: false, file)),
        new Comparison("input", Ours, Websocketd, [new("input through pipes", "MB/s", 1, 1.3, MoreIsBetter: true)], peer => Measurements.Input(peer, little ? 1 << 20 : 1 << 25)),
        new UploadMeasure(ours, plain, little ? 1 << 20 : 1 << 25),
        new StartMeasure(ours, raw, little ? 8 : 200),
        new IdleMeasure(ours, little ? 60 : 1000, little ? 1 : 10),
        new GrowthMeasure(ours, little ? [4] : [10, 100, 1000], file, characters, little ? 8 : 100),
        new CrowdMeasure(ours, little ? [4] : [10, 100], viewers: 10, share),
    ];

    var chosen = arguments.GetValue(only) is { Length: > 0 } names ? names : [.. all.Select(static measure => measure.Name)];
    if (chosen.Except(all.Select(static measure => measure.Name)).FirstOrDefault() is { } unknown)
    {
        Console.Error.WriteLine($"there is no measurement {unknown}; there are {string.Join(", ", all.Select(static measure => measure.Name))}");
        return 2;
    }

    var report = new Report();
    foreach (var measure in all.Where(measure => chosen.Contains(measure.Name)))
    {
        using (measure)
            report.Take(measure, little ? 1 : arguments.GetValue(rounds));
    }

    Console.Write(report);
    if (arguments.GetValue(table) is { } path)
        File.WriteAllText(path, report.ToString());
    return report.Kept || !arguments.GetValue(strict) ? 0 : 1;

    IPeer Ours() => new FurtherLinkPeer(ours);
    IPeer Floor() => new FloorPeer(raw);
    IPeer Websocketd() => new WebsocketdPeer();
});
return await command.Parse(args).InvokeAsync();
