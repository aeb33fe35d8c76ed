#!/usr/bin/env bash
# What vm-test.sh runs in the virtual machine, as root: BlueZ with two virtual controllers, peripherals at the first, and a central at the second.
#
#   inside.sh [FOLDER DOTNET]     the folders of the published host and of .NET; without them the rig is only proved with the bare peripheral
set -uo pipefail
cd "$(dirname "$0")"
logs=$(mktemp -d)
say() { echo "== $(cut -d ' ' -f 1 /proc/uptime) s: $1"; }
give_up() { echo "failed rig: $1"; tail -n 20 "$logs"/*.log; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
export PYTHONDONTWRITEBYTECODE=1

say "starting the bus, the controllers and bluetoothd"
mount -t tmpfs -o mode=700 tmpfs /var/lib/bluetooth || give_up "no folder for bluetoothd"
mkdir -p /run/dbus /run/lock
[ -s /etc/machine-id ] || dbus-uuidgen >/etc/machine-id
dbus-daemon --system --nofork --nopidfile >"$logs/dbus.log" 2>&1 &
# try N COMMAND...: runs it until it works, at most so often.
try() {
  local tries=$1
  shift
  while ! "$@" 2>/dev/null; do
    [ $((tries -= 1)) -gt 0 ] || return 1
    sleep 0.1
  done
}
try 100 test -S /run/dbus/system_bus_socket || give_up "dbus-daemon does not start"

# Peripherals at hci0, one at a time. The first one takes its time to start while the rest does.
peripheral() {
  local log=$1
  shift
  "$@" >"$logs/$log.log" 2>&1 &
  peripheral=$!
}
stop() { kill "$peripheral" 2>/dev/null; wait "$peripheral" 2>/dev/null; }
peripheral bare /usr/bin/python3 bare.py hci0 --agent

/usr/sbin/bluetoothd -n -f "$PWD/main.conf" >"$logs/bluetoothd.log" 2>&1 &
bluetoothd=$!
# A controller that is too slow to answer the first command is given up by the kernel for good.
btvirt --help >/dev/null 2>&1
up() { hciconfig hci0 | grep -q UP && hciconfig hci1 | grep -q UP || { given_up && return 0; return 1; }; }
given_up() { dmesg | grep -q "Opcode 0x.* failed: -110"; }
for attempt in 1 2 3; do
  btvirt -L -l2 >"$logs/btvirt.log" 2>&1 &
  btvirt=$!
  if try 100 up && ! given_up; then break; fi
  [ "$attempt" != 3 ] || give_up "the virtual controllers do not start"
  say "a controller has not come up: another try"
  kill "$btvirt"
  wait "$btvirt" 2>/dev/null
  dmesg -C
done
say "both controllers are up"

check() {
  /usr/bin/python3 central.py "$@" 2>"$logs/central.log" | tee -a "$logs/results"
  [ ! -s "$logs/central.log" ] || { sed 's/^/central: /' "$logs/central.log"; grep -q Traceback "$logs/central.log" && echo "failed $1: the central" | tee -a "$logs/results"; }
}

try 300 grep -q ready "$logs/bare.log" || give_up "the bare peripheral does not start"
say "the bare peripheral is ready"
check bare
stop

# The host: as it is by default, but anybody may pair without "furtherlink pair"; then as old clients need it.
host() {
  local log=$1
  shift
  peripheral "$log" env FURTHER_LINK_BLUETOOTH_PAIR_AND_ADVERTISE=1 "$published/furtherlink" serve --no-tls --port 8028 --state-dir "$logs/state" \
    --bluetooth --bluetooth-adapter hci0 --bluetooth-name furtherlink-test "$@"
  if try 600 grep -q "Bluetooth: clients find" "$logs/$log.log"; then
    say "the host is ready: $log"
  else
    echo "failed $log: the host does not offer Bluetooth" | tee -a "$logs/results"
    stop
    return 1
  fi
}
if [ $# -gt 0 ]; then
  published=$1
  export DOTNET_ROOT=$2 DOTNET_NOLOGO=1
  mkdir -p "$logs/state"
  token=$("$published/furtherlink" token add rig --state-dir "$logs/state" 2>"$logs/token.log")
  if host encrypted; then check encrypted "$token"; stop; fi
  if host legacy --legacy-open --bluetooth-unencrypted; then check legacy; stop; fi
fi

count() { grep -c "^$1 " "$logs/results"; }
say "done"
if grep -q "^failed " "$logs/results" || ! kill -0 "$bluetoothd"; then
  tail -n 20 "$logs"/*.log
fi
echo "$(count passed) passed, $(count failed) failed, $(count skipped) skipped"
[ "$(count failed)" = 0 ]
