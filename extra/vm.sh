#!/usr/bin/env bash
# Runs a command as root in a virtual machine that has this machine's files and a kernel of Debian's with all controllers of control groups
# (version 2: memory, pids, cpu), for tests of what this machine's own kernel lacks. Prints what the command prints, ends as it ends.
#
#   extra/vm.sh [options] [--] COMMAND [ARGUMENT...]
#     --user NAME    run it as this user, in a control group that he may use as he likes, as a service of systemd's with Delegate=yes has it;
#                    he may enter the current directory and those of --share, wherever they are
#     --share DIR    let the command write in this directory of the machine; may be given several times. What else it writes is gone at the end.
#     --time N       end it after N seconds, with exit code 124; default 600
#     --memory N     MiB of memory, which also hold what is written; default 2048
#   Variables:
#     MODULES        modules of the kernel to load before, such as "bluetooth hci_vhci"
#     VM_ACCEL       how QEMU runs it: tcg, by software, the default, or kvm
#
# The machine's / is the root, read-only, below a file system in memory: programs and files are at the same paths. There is no network but loopback.
# QEMU and what else is missing is installed by apt-get; the kernel is only unpacked, to ~/.cache/furtherlink/vm (remove it for a newer one).
set -euo pipefail

user=root limit=600 memory=2048 shares=()
usage() { sed -n '2,16s/^# \{0,1\}//p' "$0"; }
fail() { echo "vm.sh: $1" >&2; exit 125; }
need() { [ "$2" -gt 1 ] || fail "$1 needs a value"; }
while [ $# -gt 0 ]; do
  case "$1" in
    --user) need "$1" $#; user=$2; shift ;;
    --share) need "$1" $#; [ -d "$2" ] || fail "--share $2: there is no such directory"; shares+=("$(realpath "$2")"); shift ;;
    --time) need "$1" $#; limit=$2; shift ;;
    --memory) need "$1" $#; memory=$2; shift ;;
    -h | --help) usage; exit 0 ;;
    --) shift; break ;;
    -*) fail "there is no option $1; see --help" ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || { usage >&2; exit 125; }
[[ "$limit" =~ ^[1-9][0-9]*$ && "$memory" =~ ^[1-9][0-9]*$ ]] || fail "--time and --memory are whole numbers"
id -u "$user" >/dev/null 2>&1 || fail "--user $user: there is no such user"
[ "$(uname -m)" = x86_64 ] || fail "the virtual machine runs this machine's own programs, and is made for x86_64 only"
command -v apt-get >/dev/null || fail "it needs Debian's packages, and this system has no apt-get to get them with"

say() { echo "vm.sh: $1" >&2; }
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else return 1
  fi
}
update() {
  # Once is enough.
  [ -n "${updated-}" ] || { say "Reading Debian's lists of packages"; as_root apt-get update -qq >/dev/null || say "apt-get update failed"; updated=1; }
}

packages=(qemu-system-x86 seabios busybox-static cpio kmod)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  update
  say "Installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "could not install ${missing[*]}: please do it by hand, as root: apt-get install ${missing[*]}"
fi
export PATH="$PATH:/usr/sbin:/sbin"

# The kernel, in a directory named by its version: vmlinuz and lib/modules.
cache="${XDG_CACHE_HOME:-$HOME/.cache}/furtherlink/vm"
mkdir -p "$cache"
newest() { find "$cache" -mindepth 1 -maxdepth 1 -type d -name 'linux-*' | sort -V | tail -n 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/furtherlink-vm.XXXXXX")
unpacked=
trap 'rm -rf "$work" ${unpacked:+"$unpacked"}' EXIT
if [ -z "$(newest)" ]; then
  image() { apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*-amd64\)$/\1/p' | head -n 1; }
  [ -n "$(image)" ] || update
  package=$(image)
  [ -n "$package" ] || fail "apt-get knows no kernel: there is no package linux-image-amd64 in its sources"
  say "Downloading $package, about 70 MB"
  download() { (cd "$work" && apt-get download -qq "$package" >/dev/null); }
  download || { update; download; } || fail "could not download $package"
  say "Unpacking it to $cache"
  unpacked=$(mktemp -d "$cache/new.XXXXXX")
  dpkg-deb -x "$work"/linux-image-*.deb "$unpacked" || fail "could not unpack $package"
  release=$(ls "$unpacked/lib/modules")
  depmod -b "$unpacked" "$release"
  mv "$unpacked/boot/vmlinuz-$release" "$unpacked/vmlinuz"
  rm -rf "$unpacked/boot" "$unpacked/usr"
  chmod 755 "$unpacked"
  # Another that did the same at the same time has the same there.
  mv -T "$unpacked" "$cache/linux-$release" 2>/dev/null || [ -d "$cache/linux-$release" ] || fail "could not write to $cache"
fi
kernel=$(newest)
release=${kernel##*/linux-}

# What the kernel starts first, from memory: it mounts the machine's files and runs the command in them.
initial=$work/initial
mkdir -p "$initial/bin" "$initial/modules" "$work/job"
cp "$(command -v busybox)" "$initial/bin/busybox"
for module in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
  modprobe -d "$kernel" -S "$release" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
done | awk '!seen[$0]++' >"$work/modules"
while read -r file; do
  cp "$file" "$initial/modules/"
  echo "${file##*/}"
done <"$work/modules" >"$initial/modules/order"
cat >"$initial/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mkdir -p /proc /sys /dev /lower /upper /new
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
while read -r module; do $b insmod "/modules/$module"; done </modules/order
options=trans=virtio,version=9p2000.L,msize=512000
$b mount -t 9p -o "ro,cache=loose,$options" root /lower
$b mount -t tmpfs -o size=75% tmpfs /upper
$b mkdir /upper/files /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /new
for directory in proc sys dev; do $b mkdir -p /new/$directory; $b mount -o move /$directory /new/$directory; done
$b mkdir -p /new/dev/pts /new/dev/shm /new/run /new/lib/modules
$b mount -t devpts -o mode=620,ptmxmode=666 devpts /new/dev/pts
$b mount -t tmpfs -o mode=1777 tmpfs /new/dev/shm
$b mount -t tmpfs -o mode=755 tmpfs /new/run
$b ln -sfn /proc/self/fd /new/dev/fd
$b mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
$b mkdir /new/run/vm
$b mount -t 9p -o "ro,cache=loose,$options" modules /new/lib/modules
$b mount -t 9p -o "cache=none,$options" job /new/run/vm
$b hostname furtherlink-vm
$b ifconfig lo 127.0.0.1 up
# A process whose root is not that of its mounts may make no namespaces of users.
exec $b switch_root /new /bin/bash /run/vm/first
INIT
chmod +x "$initial/init"

# Then it is this, with the machine's own programs.
cat >"$work/job/first" <<'FIRST'
for device in /sys/class/virtio-ports/*; do
  [ "$(cat "$device/name")" != output ] || out=/dev/${device##*/}
done
/bin/bash /run/vm/start >"$out" 2>&1 </dev/null
echo $? >/run/vm/exit
echo o >/proc/sysrq-trigger
sleep 60
FIRST
(cd "$initial" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initial.gz"

# The command, as a script of the shell's: in the same directory, with a plain environment.
{
  echo "export PATH=$(printf %q "$PATH") HOME=$(getent passwd "$user" | cut -d: -f6) USER=$user LOGNAME=$user LANG=C.UTF-8"
  echo "cd $(printf %q "$PWD")"
  for i in "${!shares[@]}"; do
    echo "mount -t 9p -o cache=mmap,trans=virtio,version=9p2000.L,msize=512000 share$i $(printf %q "${shares[$i]}") || exit 125"
  done
  echo 'echo "+memory +pids +cpu" >/sys/fs/cgroup/cgroup.subtree_control || exit 125'
  [ -z "${MODULES-}" ] || echo "modprobe -a $(printf '%q ' $MODULES)|| exit 125"
  if [ "$user" != root ]; then
    cat <<'DELEGATE'
group=/sys/fs/cgroup/delegated
mkdir $group $group/command
echo "+memory +pids +cpu" >$group/cgroup.subtree_control
for directory in $group $group/command; do chown "$USER" $directory $directory/cgroup.procs $directory/cgroup.subtree_control $directory/cgroup.threads; done
echo $$ >$group/command/cgroup.procs
mkdir -p "$HOME" && chown "$USER" "$HOME"
DELEGATE
    printf 'for directory in %s; do\n' "$(printf '%q ' "$PWD/." "${shares[@]}")"
    echo '  while directory=$(dirname "$directory") && [ "$directory" != / ]; do chmod o+x "$directory"; done'
    echo done
    printf 'exec setpriv --reuid %q --regid %q --init-groups -- ' "$user" "$(id -g "$user")"
  else
    printf 'exec '
  fi
  printf '%q ' "$@"
  echo
} >"$work/job/start"

# Its output goes through cat: QEMU opens the file anew, which only a pipe is always fit for. What the kernel says is kept for the case that it ends early.
say "Starting the virtual machine"
devices=()
share() { devices+=(-virtfs "local,path=${2//,/,,},mount_tag=$1,security_model=none,multidevs=remap$3"); }
share root / ,readonly=on
share modules "$kernel/lib/modules" ,readonly=on
share job "$work/job" ""
for i in "${!shares[@]}"; do share "share$i" "${shares[$i]}" ""; done
accel=${VM_ACCEL:-tcg}
[ "$accel" != tcg ] || accel=tcg,thread=multi
set +e
timeout --foreground -k 5 "$limit" qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
  -accel "$accel" -cpu max -smp 2 -m "$memory" -kernel "$kernel/vmlinuz" -initrd "$work/initial.gz" \
  -append "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off random.trust_cpu=on cgroup_no_v1=all" \
  -chardev "file,id=console,path=$work/console" -serial chardev:console \
  -device virtio-serial-pci -chardev file,id=output,path=/dev/fd/1,append=on -device virtserialport,chardev=output,name=output \
  "${devices[@]}" </dev/null | cat
status=${PIPESTATUS[0]}
set -e
[ "$status" != 124 ] || { say "Ended after $limit s"; exit 124; }
if [ ! -s "$work/job/exit" ]; then
  [ ! -s "$work/console" ] || tail -n 20 "$work/console" >&2
  fail "the virtual machine ended before the command did (QEMU's exit code $status)"
fi
exit "$(cat "$work/job/exit")"
