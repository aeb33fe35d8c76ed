#!/usr/bin/env bash
# Installs from Debian what the tests need and is missing, builds, runs every test, ends with "N passed, N failed, N skipped".
#   --long      also the long forms of soak and stress tests (sets FURTHERLINK_TEST_LONG=1), and where this machine has no control groups that count,
#               the tests that need some, in a virtual machine (extra/vm.sh; a few minutes)
#   --filter X  only tests whose full name contains X
set -uo pipefail
cd "$(dirname "$0")/.."

# Those of the packages need packages: .ci/run makes them, and runs them.
filter=TestCategory!=Packages
only=()
patience=15m long=
while [ $# -gt 0 ]; do
  case "$1" in
    --long) export FURTHERLINK_TEST_LONG=1; patience=90m long=1 ;;
    --filter) [ $# -gt 1 ] || { echo "--filter needs a part of a test's name" >&2; exit 2; }; only+=("FullyQualifiedName~$2"); filter="${only[-1]}&$filter"; shift ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "unknown option $1; there are --long, --filter X and --help" >&2; exit 2 ;;
  esac
  shift
done

fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

command -v dotnet >/dev/null || fail "The .NET SDK 10 is missing: see https://dotnet.microsoft.com/download"

# What programs in the tests use: Python with pictures and wheels, terminals that are looked at and played, a client that people type into, a message bus.
packages=(python3 python3-pil python3-numpy python3-setuptools python3-wheel asciinema curl less procps bubblewrap tmux util-linux vim openssl chromium dbus-daemon)
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
. extra/debian.sh
need "${packages[@]}" || fail "There are packages missing: see above."

# The python3 that programs find is Debian's, which has the packages above.
export PATH="/usr/bin:$PATH"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

npm=FurtherLink.Tests/Npm
if [ ! "$npm/node_modules/.package-lock.json" -nt "$npm/package-lock.json" ]; then
  npm ci --prefix "$npm" --ignore-scripts --no-audit --no-fund || fail "Could not restore the test packages of $npm."
  touch "$npm/node_modules/.package-lock.json"
fi

dotnet build FurtherLink.sln -c Release -nr:false || fail "It does not build."

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
chmod 755 "$results"

# Whether groups of version 2 count memory, processes and processor time here.
counts() {
  local mount controller
  mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  for controller in memory pids cpu; do
    grep -qsw "$controller" "$mount/cgroup.subtree_control" || return 1
  done
}

# The tests that need that, as root and as a user whom a group is given, each where they are the only ones.
virtual() {
  local user output test="TestCategory=CountedGroups"
  for one in "${only[@]}"; do test+="&$one"; done
  for user in root games; do
    output=$results/virtual-$user
    mkdir -m 777 "$output"
    echo "Running tests of limits in a virtual machine, as $user"
    extra/vm.sh --user "$user" --share "$output" --time 1800 -- env "PATH=$PATH" DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_TieredPGO=0 FURTHERLINK_TEST_LONG=1 \
      dotnet vstest FurtherLink.Tests/bin/Release/net10.0/FurtherLink.Tests.dll "--TestCaseFilter:$test" "--ResultsDirectory:$output" --logger:trx || return
  done
}
virtual_status=0
if [ -n "$long" ] && ! counts; then
  filter="TestCategory!=CountedGroups&$filter"
  virtual || virtual_status=$?
fi

# Tests of whole servers, which mostly wait for processes to start, run beside all others, in a process of their own.
run() {
  dotnet test FurtherLink.Tests -c Release --no-build -nr:false --filter "$filter&FullyQualifiedName$1.Tests.Host." --results-directory "$results/$2" \
    --logger trx --logger "console;verbosity=minimal" --blame-hang --blame-hang-timeout "$patience" --blame-hang-dump-type none
}
# Job control: what a script starts beside itself would be deaf to Ctrl-C otherwise, and so would all that tests start.
set -m
run "~" servers &
set +m
trap 'kill -- -$! 2>/dev/null; rm -rf "$results"' EXIT
run "!~" others
status=$?
wait $! || status=$?
[ "$virtual_status" = 0 ] || status=$virtual_status
/usr/bin/python3 extra/test-summary.py "$results" "$status"
