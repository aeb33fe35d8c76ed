#!/usr/bin/env bash
# Measures FurtherLink beside its peers, side by side in one run, and prints a table, which is also left in table.md beside this script.
#   --micro              also the micro-benchmarks of the hot types, with what they allocate (minutes)
#   --only NAME...       only these measurements
#   --rounds N, --quick, --strict   see --help
set -euo pipefail
cd "$(dirname "$0")"
. ../debian.sh
need gcc libc6-dev websocketd

arguments=()
for argument in "$@"; do
  case "$argument" in
    --micro) micro=1 ;;
    *) arguments+=("$argument") ;;
  esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "Building into $work" >&2
gcc -O2 -Wall -Wextra -Werror -o "$work/floor" floor.c
machine=$(dotnet --info | sed -n 's/^ *RID: *//p')
dotnet publish ../../FurtherLink.Host -c Release -r "$machine" --self-contained false -o "$work/FurtherLink.Host" -nr:false -v quiet >&2
for project in BareServer FurtherLink.Load; do
  dotnet publish "$project" -c Release -o "$work/$project" -nr:false -v quiet >&2
done

if [ -n "${micro:-}" ]; then
  dotnet run --project FurtherLink.Micro -c Release -- --filter '*' --artifacts "$work/micro"
fi
"$work/FurtherLink.Load/FurtherLink.Load" --host "$work/FurtherLink.Host/furtherlink" --floor "$work/floor" --bare "$work/BareServer/BareServer" \
  --table table.md ${arguments[@]+"${arguments[@]}"}
