"""Checks that packages hold what they should, and that two builds of one source hold the same libraries."""

import pathlib
import sys
import zipfile

first, second = map(pathlib.Path, sys.argv[1:])
mistakes = []
for name in ("FurtherLink.Core", "FurtherLink.Transports.WebSockets", "FurtherLink.Transports.Portacode"):
    files = {path.suffix: path for path in first.glob(f"{name}.[0-9]*")}
    if set(files) != {".nupkg", ".snupkg"}:
        mistakes.append(f"{name}: expected a nupkg and a snupkg, found {sorted(files)}")
        continue
    package, symbols = zipfile.ZipFile(files[".nupkg"]), zipfile.ZipFile(files[".snupkg"])
    library = f"lib/net10.0/{name}"
    for wanted in (f"{library}.dll", f"{library}.xml", "README.md"):
        if wanted not in package.namelist():
            mistakes.append(f"{name}: has no {wanted}")
    if f"{library}.pdb" not in symbols.namelist():
        mistakes.append(f"{name}: the symbols have no {library}.pdb")
    specification = package.read(f"{name}.nuspec").decode("utf-8-sig")
    for wanted in ('<license type="expression">MIT</license>', "<readme>README.md</readme>"):
        if wanted not in specification:
            mistakes.append(f"{name}: its nuspec has no {wanted}")
    other = zipfile.ZipFile(second / files[".nupkg"].name)
    for file in (f"{library}.dll", f"{library}.xml"):
        if package.read(file) != other.read(file):
            mistakes.append(f"{name}: {file} differs from build to build")

print("\n".join(mistakes) or "packages are as they should be")
sys.exit(bool(mistakes))
