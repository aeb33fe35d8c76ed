"""Checks that packages hold what they should, and that two builds of one source hold the same files."""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree as tree
import zipfile

projects = [said for said in map(json.loads, pathlib.Path(sys.argv[1]).read_text().splitlines()) if said["IsPackable"] == "true"]
first, second = map(pathlib.Path, sys.argv[2:])
version = re.search("<Version>(.*)</Version>", pathlib.Path("Directory.Build.props").read_text())[1]
mistakes = []


# Packages of others that ours need; README says what for.
FOREIGN = {"BCrypt.Net-Next", "Tmds.DBus.Protocol"}


def look(said):
    """Says what is wrong with a package."""
    name = said["PackageId"]
    is_tool = said["PackAsTool"] == "true"
    project = pathlib.Path(said["project"])
    paths = [folder / f"{name}.{version}{suffix}" for suffix in (".nupkg", ".snupkg") for folder in (first, second)]
    if missing := [path.name for path in paths if not path.exists()]:
        yield f"was not packed: no {', '.join(missing)}"
        return
    package, again, symbols, _ = map(zipfile.ZipFile, paths)
    names = package.namelist()

    library = f"tools/net10.0/any/{project.stem}" if is_tool else f"lib/net10.0/{name}"
    wanted = ["README.md", "tools/net10.0/any/DotnetToolSettings.xml", "tools/net10.0/any/furtherlink.dll"] if is_tool else ["README.md", f"{library}.dll", f"{library}.xml"]
    yield from (f"has no {file}" for file in wanted if file not in names)
    pdb = wanted[-1].replace(".xml", ".pdb").replace(".dll", ".pdb")
    if pdb not in symbols.namelist():
        yield f"its symbols have no {pdb}"
    readme = project.with_name("README.md").read_bytes()
    if "README.md" in names and package.read("README.md") != readme:
        yield f"its README.md is not that of {project.parent}"
    if not readme.decode().startswith(f"# {name}\n"):
        yield f"its README.md does not begin with # {name}"

    nuspec = tree.fromstring(package.read(f"{name}.nuspec").decode("utf-8-sig"))
    namespace = nuspec.tag.partition("}")[0] + "}"
    said_of_itself = {element.tag.removeprefix(namespace): element.text for element in nuspec.iter() if element.text}
    for key, value in {"id": name, "version": version, "license": "MIT", "readme": "README.md", "description": said["Description"], "authors": "FurtherLink"}.items():
        if said_of_itself.get(key) != value:
            yield f"its {key} is {said_of_itself.get(key)!r}, not {value!r}"
    dependencies = {element.get("id"): element.get("version") for element in nuspec.iter(namespace + "dependency")}
    own = {key: value for key, value in dependencies.items() if key.startswith("FurtherLink")}
    expected = {} if is_tool else dict.fromkeys(said["references"], version)
    if own != expected:
        yield f"depends on {own}, not on {expected}"
    if foreign := [key for key in dependencies if not key.startswith(("FurtherLink.", "Microsoft.Extensions.")) and key not in FOREIGN]:
        yield f"depends on {', '.join(foreign)}"
    if not is_tool and not pathlib.Path(f"FurtherLink.Tests/PublicApi/{name}.txt").exists():
        yield "has no PublicApi/*.txt in the tests"

    for file in names:
        if file.startswith(("tools/", "lib/")) and package.read(file) != again.read(file):
            yield f"{file} differs from build to build"


for said in projects:
    mistakes += [f"{said['PackageId']}: {mistake}" for mistake in look(said)]
packed = {path.stem.removesuffix("." + version) for path in first.glob("*.nupkg")}
if packed != {said["PackageId"] for said in projects}:
    mistakes.append(f"packed were {sorted(packed)}")
print("\n".join(mistakes) or f"packages are as they should be: {', '.join(sorted(packed))}")
sys.exit(bool(mistakes))
