"""Sums up the TRX files of a folder over all test projects: failures, skipped tests with their reasons, one last line."""

import pathlib
import sys
import xml.etree.ElementTree as tree

NAMESPACE = {"t": "http://microsoft.com/schemas/VisualStudio/TeamTest/2010"}


def main(folder: str, status: int) -> int:
    passed, failed, skipped = [], [], []
    for path in sorted(pathlib.Path(folder).rglob("*.trx")):
        for result in tree.parse(path).getroot().iterfind(".//t:UnitTestResult", NAMESPACE):
            name = result.get("testName")
            message = result.findtext(".//t:ErrorInfo/t:Message", "", NAMESPACE) or result.findtext(".//t:StdOut", "", NAMESPACE)
            reason = " ".join(message.split())
            kind = {"Passed": passed, "Failed": failed}.get(result.get("outcome"), skipped)
            kind.append((name, reason))

    for name, reason in failed:
        print(f"failed: {name}: {reason[:300]}")
    for name, reason in skipped:
        print(f"skipped: {name}: {reason or 'no reason given'}")
    failures = len(failed)
    if status != 0 and failures == 0:
        print(f"failed: the test run itself ended with {status}; see above")
        failures = 1
    if not passed and failures == 0:
        print("failed: no test ran")
        failures = 1
    print(f"{len(passed)} passed, {failures} failed, {len(skipped)} skipped")
    return 1 if failures else 0


sys.exit(main(sys.argv[1], int(sys.argv[2])))
