using System.Runtime.Versioning;
using FurtherLink.Messages;
using FurtherLink.Tests.Processes;

namespace FurtherLink.Tests.Python;

[TestFixture]
[SupportedOSPlatform("linux")]
public class PythonPathTests
{
    private const string Import = "import further_link; print(further_link.__version__)";

    [Test]
    public async Task Package_IsFoundByEveryPython_WhateverStartsIt()
    {
        var version = typeof(LinkOptions).Assembly.GetName().Version!.ToString(3) + "\n";
        await using var rig = new ProgramRig();
        foreach (var request in (RunRequest[])
            [
                new("python3") { Code = Import },
                new("exec") { Code = $"#!{PythonProgram.Python}\n{Import}\n" },
                new("exec") { Code = $"#!/bin/sh\n{PythonProgram.Python} -c '{Import}'\n" },
            ])
        {
            var program = await rig.StartAsync(request);
            await program.ExitAsync();
            Assert.That(program.Text, Is.EqualTo(version), request.Code);
        }
    }

    [Test]
    public async Task PythonPath_OfTheRequest_Wins()
    {
        await using var rig = new ProgramRig();
        var request = new RunRequest("python3")
        {
            Code = "import os; print(os.environ['PYTHONPATH'])",
            Environment = new Dictionary<string, string?> { ["PYTHONPATH"] = "/mine" },
        };
        var program = await rig.StartAsync(request);
        await program.ExitAsync();
        Assert.That(program.Text, Is.EqualTo("/mine\n"));
    }
}
