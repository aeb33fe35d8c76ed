#!/usr/bin/env bash
# Installs what the tests need and is missing, runs everything, ends with "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build FurtherLink.sln -c Release
