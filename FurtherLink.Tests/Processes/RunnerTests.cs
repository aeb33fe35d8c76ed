using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes;
using FurtherLink.Processes.Runners;

namespace FurtherLink.Tests.Processes;

[SupportedOSPlatform("linux")]
public sealed class RunnerTests
{
    private ProgramRig _rig = null!;

    [SetUp]
    public void SetUp() => _rig = new ProgramRig(options =>
    {
        options.Runners["node"] = new RunnerOptions { Command = "node {file}", Extension = ".js" };
        options.Runners["csharp"] = new RunnerOptions { Command = "dotnet run {file}", Extension = ".cs", Environment = { ["DOTNET_NOLOGO"] = "1" } };
        options.Runners["quoted"] = new RunnerOptions { Command = "printf '%s|' \"two words\" 'a'b {file}" };
        options.Runners["calculator"] = new RunnerOptions { Command = "cat -n" };
    });

    [TearDown]
    public async Task TearDown() => await _rig.DisposeAsync();

    [Test]
    public async Task Python_Code_RunsInTheDirectoryOfItsFile()
    {
        var program = await _rig.PythonAsync("import os, sys; print(__file__, sys.argv[0] == __file__, os.getcwd(), os.stat(__file__).st_mode & 0o777)");
        await program.ExitAsync();
        Assert.That(program.Text, Does.Match($@"^{_rig.Temp}/[1-9]\d\d\.py True {_rig.Temp} 384\n$"));
        Assert.That(program.Process.WorkingDirectory, Is.EqualTo(_rig.Temp));
    }

    [Test]
    public async Task Python_Path_RunsTheFileAndKeepsIt()
    {
        Directory.CreateDirectory(_rig.Work + "/a b");
        await File.WriteAllTextAsync(_rig.Work + "/a b/other.py", "name = 'imported'");
        await File.WriteAllTextAsync(_rig.Work + "/a b/main.py", "import other, sys; print(other.name, sys.argv[1:])");
        var program = await _rig.StartAsync(new RunRequest("python3") { Path = "a b/main.py", Arguments = ["x y", ""] });
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo("imported ['x y', '']\n"));
        Assert.That(File.Exists(_rig.Work + "/a b/main.py"), Is.True);
    }

    [Test]
    public async Task Python_NothingToRun_RunsTheTempDirectory()
    {
        var program = await _rig.StartAsync(new RunRequest("python3"));
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(1));
        Assert.That(program.ErrorText, Does.Contain("can't find '__main__' module"));
    }

    [Test]
    public async Task Python_EmptyCode_IsCode()
    {
        var program = await _rig.PythonAsync("");
        Assert.That((await program.ExitAsync()).Code, Is.Zero);
    }

    [Test]
    public async Task Python_Venv_IsUsedWhereItHasPython()
    {
        var venv = Path.Combine(_rig.Directory, "venv");
        Directory.CreateDirectory(venv + "/bin");
        await File.WriteAllTextAsync(venv + "/bin/python3", "#!/bin/sh\necho venv $VIRTUAL_ENV ${PATH%%:*} $1\n");
        File.SetUnixFileMode(venv + "/bin/python3", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _rig.Options.PythonVenv = venv;
        var program = await _rig.PythonAsync("");
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo($"venv {venv} {venv}/bin -u\n"));
    }

    [Test]
    public async Task Python_Package_IsInFrontOfPythonPath()
    {
        var program = await _rig.PythonAsync("import further_link; print(further_link.__version__)");
        Assert.That((await program.ExitAsync()).Code, Is.Zero);
        Assert.That(program.Text, Does.Match(@"^\d+\.\d+\.\d+"));
    }

    [TestCase("new")]
    [TestCase("new/")]
    [TestCase("new/deep/er")]
    [TestCase("../beside")]
    public async Task Code_InAMissingDirectory_MakesIt(string path)
    {
        var program = await _rig.StartAsync(new RunRequest("python3") { Code = "import os; print(os.getcwd(), os.environ['PWD'])", Path = path });
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo($"{Path.GetFullPath(Path.Combine(_rig.Work, path)).TrimEnd('/')} {_rig.Work}/{path}\n"));
    }

    [Test]
    public async Task Code_File_IsGoneOnceExited([Values("python3", "exec")] string runner)
    {
        var program = await _rig.StartAsync(new RunRequest(runner) { Code = runner == "exec" ? "#!/bin/sh\necho $0" : "print(__file__)" });
        await program.Process.Exited;
        Assert.That(Files(), Is.Empty);
        await program.ExitAsync();
        Assert.That(program.Text, Does.StartWith(_rig.Temp));
    }

    [Test]
    public void Code_ThatCannotStart_LeavesNoFile()
    {
        Assert.That(async () => await _rig.StartAsync(new RunRequest("exec") { Code = "no first line" }), Throws.InstanceOf<LinkException>());
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task Exec_Code_IsAnExecutableOfItsUserAlone()
    {
        var program = await _rig.BashAsync("stat -c '%n %a' $0; pwd");
        await program.ExitAsync();
        Assert.That(program.Text, Does.Match($@"^{_rig.Temp}/exec-[1-9]\d\d 700\n{_rig.Temp}\n$"));
    }

    [Test]
    public async Task Exec_Path_IsMadeExecutableForItsOwner()
    {
        Directory.CreateDirectory(_rig.Work);
        var path = _rig.Work + "/with space";
        await File.WriteAllTextAsync(path, "#!/bin/sh\necho $0 $1\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var program = await _rig.StartAsync(new RunRequest("exec") { Path = "with space", Arguments = ["one"] });
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo(path + " one\n"));
        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead));
    }

    [TestCase("missing", null, "there is no file")]
    [TestCase("none/missing", null, "there is no")]
    [TestCase("", null, "is a directory")]
    [TestCase("text", "plain words", "#!")]
    [TestCase("empty", "", "#!")]
    [TestCase("interpreter", "#!/no/such/thing -x\n", "/no/such/thing")]
    [TestCase("a\0b", null, "NUL")]
    public async Task Exec_CannotStart_SaysWhy(string path, string? content, string expected)
    {
        Directory.CreateDirectory(_rig.Work);
        if (content is not null)
            await File.WriteAllTextAsync(Path.Combine(_rig.Work, path), content);
        Assert.That(
            async () => await _rig.StartAsync(new RunRequest("exec") { Path = path }),
            Throws.InstanceOf<LinkException>().With.Message.Contains(expected));
    }

    [Test]
    public void Start_MissingProgram_SaysWhich()
    {
        var request = new RunRequest("python3") { Code = "", Environment = new Dictionary<string, string?> { ["PATH"] = "/nonexistent" } };
        Assert.That(async () => await _rig.StartAsync(request), Throws.InstanceOf<LinkException>().With.Message.Contains("\"python3\""));
    }

    [Test]
    public void Start_DirectoryIsAFile_SaysSo()
    {
        Directory.CreateDirectory(_rig.Work);
        File.WriteAllText(_rig.Work + "/file", "");
        Assert.That(
            async () => await _rig.StartAsync(new RunRequest("shell") { Path = "file" }),
            Throws.InstanceOf<LinkException>().With.Message.Contains(_rig.Work + "/file"));
    }

    [Test]
    public void Start_Cancelled_StartsNothing()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        var context = new ProcessContext("id", new System.IO.Pipelines.Pipe().Writer, new System.IO.Pipelines.Pipe().Writer);
        Assert.That(
            async () => await _rig.Runner("python3").StartAsync(new RunRequest("python3") { Code = "" }, context, cancelled.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task Shell_Pipes_ReadsCommandsInTheDirectoryOfItsPath()
    {
        _rig.User = _rig.User with { Shell = "/bin/bash" };
        var program = await _rig.StartAsync(new RunRequest("shell") { Path = "some/where" });
        await program.TypeAsync("echo $-; pwd; echo $0 $#\n");
        await program.Process.Input.CompleteAsync();
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo($"hBs\n{_rig.Work}/some/where\n/bin/bash 0\n"));
    }

    [Test]
    public async Task Shell_NoPath_IsTheTempDirectory()
    {
        var program = await _rig.StartAsync(new RunRequest("shell") { Path = "" });
        await program.TypeAsync("pwd\nexit 3\n");
        Assert.That((await program.ExitAsync()).Code, Is.EqualTo(3));
        Assert.That(program.Text, Is.EqualTo(_rig.Temp + "\n"));
    }

    [Test]
    public async Task Environment_Program_IsTheUsersWithItsOwnOnTop()
    {
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", "/run/user/gone");
        try
        {
            var program = await _rig.StartAsync(new RunRequest("exec")
            {
                Code = "#!/bin/sh\nenv -0",
                Environment = new Dictionary<string, string?> { ["OWN"] = "a=1", ["LANG"] = null },
            });
            await program.ExitAsync();
            var environment = program.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries)
                .Select(variable => variable.Split('=', 2)).ToDictionary(parts => parts[0], parts => parts[1]);
            Assert.Multiple(() =>
            {
                Assert.That(environment["TERM"], Is.EqualTo("xterm-256color"));
                Assert.That(environment["USER"], Is.EqualTo(_rig.User.Name));
                Assert.That(environment["LOGNAME"], Is.EqualTo(_rig.User.Name));
                Assert.That(environment["HOME"], Is.EqualTo(_rig.User.Home));
                Assert.That(environment["SHELL"], Is.EqualTo(_rig.User.Shell));
                Assert.That(environment["PWD"], Is.EqualTo(_rig.Temp));
                Assert.That(environment["PATH"], Is.EqualTo(Environment.GetEnvironmentVariable("PATH")));
                Assert.That(environment["OWN"], Is.EqualTo("a=1"));
                Assert.That(environment["FURTHER_LINK_SESSION"], Is.EqualTo(program.SessionId));
                Assert.That(environment, Does.Not.ContainKey("LANG"));
                Assert.That(environment, Does.Not.ContainKey("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"));
                Assert.That(environment.GetValueOrDefault("XDG_RUNTIME_DIR"), Is.EqualTo(Directory.Exists($"/run/user/{_rig.User.Uid}") ? $"/run/user/{_rig.User.Uid}" : null));
            });
        }
        finally
        {
            Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", null);
            Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", null);
        }
    }

    [Test]
    public async Task Configured_Node_RunsJavaScript()
    {
        var program = await _rig.StartAsync(new RunRequest("node") { Code = "console.log(__filename, 6 * 7)" });
        await program.ExitAsync();
        Assert.That(program.Text, Does.Match($@"^{_rig.Temp}/\d+\.js 42\n$"), program.ErrorText);
    }

    [Test]
    public async Task Configured_CSharp_RunsAFileBasedApp()
    {
        var program = await _rig.StartAsync(new RunRequest("csharp") { Code = "Console.WriteLine(6 * 7);", Path = "app" });
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo("42\n"), program.ErrorText);
    }

    [Test]
    public async Task Configured_Quotes_GroupWords()
    {
        var program = await _rig.StartAsync(new RunRequest("quoted") { Path = "of mine", Arguments = ["last"] });
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo($"two words|ab|{_rig.Work}/of mine|last|"));
    }

    [Test]
    public async Task Configured_WithoutFile_TakesInputAndNoCode()
    {
        var program = await _rig.StartAsync(new RunRequest("calculator"));
        await program.TypeAsync("one\n");
        await program.Process.Input.CompleteAsync();
        await program.ExitAsync();
        Assert.That(program.Text, Does.Match(@"^\s+1\tone\n$"));
        Assert.That(
            async () => await _rig.StartAsync(new RunRequest("calculator") { Code = "x" }), Throws.InstanceOf<LinkException>().With.Message.Contains("code"));
    }

    [TestCase("")]
    [TestCase("   ")]
    [TestCase("node \"{file}")]
    public void Configured_BadCommand_IsRefused(string command) =>
        Assert.That(() => CommandRunner.Split(command) is { Count: > 0 }, command.Trim().Length == 0 ? Is.False : Throws.InstanceOf<FormatException>());

    private IEnumerable<string> Files() =>
        Directory.Exists(_rig.Temp) ? Directory.EnumerateFiles(_rig.Temp) : [];
}
