using System.Reflection;
using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Processes;

namespace FurtherLink.Tests.Python;

[TestFixture]
[SupportedOSPlatform("linux")]
public class PythonPackageTests
{
    private string _temp = "";

    [SetUp]
    public void SetUp() => _temp = Directory.CreateTempSubdirectory("python").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_temp, recursive: true);

    [Test]
    public async Task Version_IsTheServers()
    {
        using var package = new PythonPackage(_temp);
        using var program = new PythonProgram(package.Directory, "from further_link import __version__; print(__version__)");
        var (version, errors, _) = await program.EndAsync();
        var servers = typeof(LinkOptions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        Assert.That(version, Is.EqualTo(servers.Split('+')[0] + "\n"), errors);
    }

    [Test]
    public async Task Import_NeedsNothingButPython()
    {
        using var package = new PythonPackage(_temp);
        // -S and -I leave the standard library alone.
        var code = $"import sys; sys.path.insert(0, {Quote(package.Directory)})\nfrom further_link import *\nprint(KeyboardButton, send_image, __import__('further_link').__version__)";
        using var program = new PythonProgram("", $"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-I', '-S', '-c', {Quote(code)}]))");
        var (_, errors, exitCode) = await program.EndAsync();
        Assert.That(exitCode, Is.Zero, errors);
    }

    [Test]
    public async Task Source_IsPython37()
    {
        using var package = new PythonPackage(_temp);
        var files = Directory.GetFiles(Path.Combine(package.Directory, "further_link"), "*.py");
        Assert.That(files, Has.Length.GreaterThan(3));
        foreach (var file in files)
        {
            using var program = new PythonProgram("", $"import ast; ast.parse(open({Quote(file)}).read(), feature_version=(3, 7))");
            var (_, errors, exitCode) = await program.EndAsync();
            Assert.That(exitCode, Is.Zero, errors);
        }
    }

    [Test]
    public void Directory_IsReadableByAll_WritableByUsAlone_AndRemovedAtTheEnd()
    {
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        const UnixFileMode Writable = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        var package = new PythonPackage(_temp);
        Assert.That(Directory.GetFileSystemEntries(_temp), Is.Empty, "nothing is written before it is needed");
        var directory = package.Directory;
        Assert.That(package.Directory, Is.EqualTo(directory));
        foreach (var path in Directory.GetFileSystemEntries(directory, "*", SearchOption.AllDirectories).Append(directory))
        {
            Assert.That(File.GetUnixFileMode(path) & Others, Is.EqualTo(Others), path);
            Assert.That(File.GetUnixFileMode(path) & Writable, Is.EqualTo(UnixFileMode.None), path);
        }
        package.Dispose();
        package.Dispose();
        Assert.That(Directory.GetFileSystemEntries(_temp), Is.Empty);
        Assert.That(() => package.Directory, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Files_RemovedByACleaner_ArePutBack()
    {
        using var package = new PythonPackage(_temp);
        var file = Path.Combine(package.Directory, "further_link/version.py");
        File.Delete(file);
        Assert.That(File.Exists(Path.Combine(package.Directory, "further_link/version.py")), Is.True);
        Directory.Delete(package.Directory, recursive: true);
        Assert.That(File.Exists(Path.Combine(package.Directory, "further_link/__init__.py")), Is.True);
    }

    [Test]
    public void Temp_ThatCannotBeWritten_IsSaidInWords()
    {
        var file = Path.Combine(_temp, "file");
        File.WriteAllText(file, "");
        using var package = new PythonPackage(file);
        Assert.That(() => package.Directory, Throws.TypeOf<LinkException>().With.Message.Contains(file));
    }

    [Test]
    public async Task Wheel_HoldsThePackage_UnderItsVersion()
    {
        var source = Path.Combine(Root(), "extra/python");
        var code = $"""
            import os, shutil, zipfile
            shutil.copytree({Quote(source)}, {Quote(_temp + "/source")}, ignore=shutil.ignore_patterns("__pycache__"))
            os.chdir({Quote(_temp + "/source")})
            from setuptools import build_meta
            import sys
            out, sys.stdout = sys.stdout, sys.stderr
            name = build_meta.build_wheel({Quote(_temp)})
            print(name, *sorted(zipfile.ZipFile({Quote(_temp + "/")} + name).namelist()), sep="\n", file=out)
            """;
        using var program = new PythonProgram("", code);
        var (output, errors, exitCode) = await program.EndAsync();
        Assert.That(exitCode, Is.Zero, errors);
        var lines = output.Split('\n');
        var version = typeof(LinkOptions).Assembly.GetName().Version!.ToString(3);
        Assert.That(lines[0], Does.StartWith($"further_link-{version}-py3"));
        foreach (var file in Directory.GetFiles(Path.Combine(source, "further_link"), "*.py"))
            Assert.That(lines, Has.Member("further_link/" + Path.GetFileName(file)));
    }

    internal static string Quote(string text) => System.Text.Json.JsonSerializer.Serialize(text);

    private static string Root()
    {
        var directory = TestContext.CurrentContext.TestDirectory;
        while (!File.Exists(Path.Combine(directory, "FurtherLink.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("outside the repository");
        return directory;
    }
}
