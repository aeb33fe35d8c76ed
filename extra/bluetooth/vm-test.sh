#!/usr/bin/env bash
# Tests Bluetooth LE on the real BlueZ, without hardware for it: in a virtual machine with Debian's kernel, bluetoothd and two virtual controllers, the host
# is the peripheral and programs in Python that share nothing with it are the central. Ends with "N passed, N failed, N skipped".
#   --bare      only the rig, with a bare peripheral in Python in place of the host
#   --time N    end the machine after N seconds; default 300
set -uo pipefail
cd "$(dirname "$0")/../.."

limit=300 bare=
while [ $# -gt 0 ]; do
  case "$1" in
    --bare) bare=1 ;;
    --time) [ $# -gt 1 ] || { echo "--time needs a number of seconds" >&2; exit 2; }; limit=$2; shift ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "unknown option $1; there are --bare, --time N and --help" >&2; exit 2 ;;
  esac
  shift
done

fail() {
  echo "$1" >&2
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

. extra/debian.sh
need bluez bluez-test-tools dbus python3-dbus-fast systemd >&2 || fail "There are packages missing: see above."

arguments=()
if [ -z "$bare" ]; then
  command -v dotnet >/dev/null || fail "The .NET SDK 10 is missing: see https://dotnet.microsoft.com/download"
  published=$(mktemp -d)
  trap 'rm -rf "$published"' EXIT
  dotnet publish FurtherLink.Host -c Release -r linux-x64 --self-contained false -o "$published" -nr:false -v quiet >&2 || fail "It does not build."
  arguments=("$published" "$(dirname "$(readlink -f "$(command -v dotnet)")")")
fi

MODULES="bluetooth hci_vhci ecdh_generic cmac ecb ccm algif_hash algif_skcipher uhid" \
  bash extra/vm.sh --time "$limit" -- bash extra/bluetooth/inside.sh "${arguments[@]}"
