#!/bin/sh
# Runs a command on a machine of its own where the whole Bluetooth stack of Linux is real and only the radio is not: Debian's
# kernel in QEMU, bluetoothd, D-Bus; virtual controllers carry the packets to pods that run the reference firmware. Controllers
# and pods run here, outside, so that the emulated processor is left to what is tested.
# README.md beside this says what that proves. Needs root only to fetch the kernel package.
set -eu

usage() {
    cat <<'TEXT'
usage: tests/bluez/run.sh [OPTIONS] COMMAND [ARGS]

Boots the machine, starts D-Bus, bluetoothd, the air and the pods, runs COMMAND as root, ends with its status.

  --pods "left_foot=20 right_foot=-35"   pods and the drift of their clocks, ppm [left_foot=20 right_foot=-35 sacrum=8]
  --no-strap                             without the chest strap
  --fault "SECONDS WORDS"                a fault on the timeline, as often as wanted (see air.py); counted from the first START
  --seed N, --speed M_PER_S, --stand-s S the runner [7, 3.0, 6]
  --interval-ms N                        connection interval of the air, four packets at each event; 0: all at once [15]
  --out DIR                              what COMMAND leaves in $BLUEZ_OUT, logs and truth go here [a folder under target]
  --timeout S                            everything together may take this long [180]

COMMAND sees this machine's files read-only, in this folder, and can write below /run and in $BLUEZ_OUT.
$BLUEZ_OUT/truth/NAME.json tells what each pod sampled (written when a session ends), $BLUEZ_OUT/truth/air.json what crossed
the air. A file $BLUEZ_OUT/say/ANYTHING.fault with one line makes that fault happen now.
LOPE_POD names the pod program, LOPE_BLUEZ_PYTHON a Python that has requirements.txt, LOPE_BLUEZ_CACHE a folder for the kernel,
LOPE_BLUEZ_ACCEL another accelerator of QEMU (kvm).

Status: that of COMMAND; 97 no result line (the machine died or was too slow), 98 it did not come up, 99 something is missing.
TEXT
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
cache=${LOPE_BLUEZ_CACHE:-$target/bluez}
python=${LOPE_BLUEZ_PYTHON:-$cache/venv/bin/python}
pod=${LOPE_POD:-${CARGO_TARGET_DIR:-$root/firmware/target}/release/lope-pod}
pods='left_foot=20 right_foot=-35 sacrum=8' strap=1 faults='' seed=7 speed=3.0 stand=6 interval=15 out='' limit=180

say() { printf 'bluez: %s\n' "$*" >&2; }
missing() { say "$*"; exit 99; }

while [ $# -gt 0 ]; do
    case $1 in
        --pods) pods=$2; shift 2 ;;
        --no-strap) strap=''; shift ;;
        # One a line: a fault has spaces in it.
        --fault) faults="$faults$2
"; shift 2 ;;
        --seed) seed=$2; shift 2 ;;
        --speed) speed=$2; shift 2 ;;
        --stand-s) stand=$2; shift 2 ;;
        --interval-ms) interval=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        --timeout) limit=$2; shift 2 ;;
        -h | --help) usage; exit 0 ;;
        --) shift; break ;;
        -*) usage >&2; exit 99 ;;
        *) break ;;
    esac
done
[ $# -gt 0 ] || { usage >&2; exit 99; }

for tool in qemu-system-x86_64 dbus-daemon cpio depmod modprobe dpkg apt-get; do
    command -v "$tool" >/dev/null || missing "no $tool: apt-get install qemu-system-x86 seabios bluez dbus busybox-static kmod cpio"
done
[ -x /usr/libexec/bluetooth/bluetoothd ] || missing 'no bluetoothd: apt-get install bluez'
busybox=$(command -v busybox) || missing 'no busybox: apt-get install busybox-static'
relay=${pod%/*}/vhci_relay
for program in "$pod" "$relay"; do
    [ -x "$program" ] || missing "no $program: cargo build --release --manifest-path firmware/Cargo.toml"
done

mkdir -p "$cache"
if [ ! -x "$python" ] && [ -z "${LOPE_BLUEZ_PYTHON:-}" ]; then
    say 'making a Python environment'
    python3 -m venv "$cache/venv"
    "$python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
fi
"$python" -c 'import bumble' 2>/dev/null || missing "$python has no bumble: pip install -r tests/bluez/requirements.txt"

# ---------------------------------------------------------------------------------------------------- kernel and initramfs

# Unpacked into the cache and never installed: the machine this runs on keeps its own kernel.
package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
if [ -z "$package" ]; then
    package=$(find "$cache" -maxdepth 1 -name 'linux-image-*' -type d | sort | tail -n 1)
    package=${package##*/}
fi
[ -n "$package" ] || missing 'apt knows no kernel: apt-get update'
kernel=$cache/$package
release=${package#linux-image-}
if [ ! -e "$kernel/ready" ]; then
    say "fetching $package"
    rm -rf "$kernel" "$kernel.part"
    mkdir -p "$kernel.part/deb"
    (cd "$kernel.part/deb" && apt-get download -q=2 "$package" >/dev/null 2>&1) || missing "could not fetch $package"
    dpkg -x "$kernel.part"/deb/*.deb "$kernel.part"
    rm -r "$kernel.part/deb"
    # Without this modprobe finds nothing and the boot hangs.
    depmod -b "$kernel.part" "$release"
    touch "$kernel.part/ready"
    mv "$kernel.part" "$kernel"
fi

job=$(mktemp -d "$cache/job.XXXXXX")
air=''
# shellcheck disable=SC2317
tidy() {
    # It ends the pods, which write their truth then.
    [ -z "$air" ] || kill "$air" 2>/dev/null || true
    wait
    rm -rf "$job"
}
trap tidy EXIT
trap 'exit 97' INT TERM

ramfs=$job/ramfs
mkdir -p "$ramfs/bin" "$ramfs/modules" "$ramfs/dev" "$ramfs/proc" "$ramfs/host"
cp "$busybox" "$ramfs/bin/busybox"
: >"$ramfs/modules/order"
for module in virtio_pci virtio_console 9p 9pnet_virtio bluetooth hci_vhci cmac ecb ecdh_generic algif_hash algif_skcipher; do
    modprobe -d "$kernel" -S "$release" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p' | while read -r file; do
        name=${file##*/}
        if [ ! -e "$ramfs/modules/$name" ]; then
            cp "$file" "$ramfs/modules/$name"
            echo "$name" >>"$ramfs/modules/order"
        fi
    done
done
cat >"$ramfs/init" <<'INIT'
#!/bin/busybox sh
# The first program of the machine: loads the modules, takes the host's files as its own, goes on with inside.sh.
b=/bin/busybox
fail() { echo "bluez-init: $1"; $b poweroff -f; }
$b mount -t devtmpfs dev /dev && $b mount -t proc proc /proc || fail 'no dev or proc'
while read -r module; do $b insmod "/modules/$module" || echo "bluez-init: $module"; done </modules/order
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=262144 host /host || fail 'no files of the host'
for word in $($b cat /proc/cmdline); do
    case $word in lope_inside=*) inside=${word#*=} ;; lope_job=*) job=${word#*=} ;; esac
done
exec $b switch_root /host "$inside" "$job"
INIT
chmod +x "$ramfs/init"
(cd "$ramfs" && find . | cpio --quiet -o -H newc) >"$job/initramfs"

# ------------------------------------------------------------------------------------------------------------------- the job

[ -n "$out" ] || out=$cache/out
mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)
# Of these folders nothing else is touched.
rm -rf "$out/truth" "$out/log" "$out/say" "$out/port" "$out/origin"
mkdir -p "$out/log"
quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }
{
    echo "command_relay=$(quoted "$relay")"
    echo "command_pwd=$(quoted "$PWD")"
    echo "command_path=$(quoted "$PATH")"
} >"$job/settings"
{
    for word in "$@"; do printf '%s ' "$(quoted "$word")"; done
    echo
} >"$job/command"

# ---------------------------------------------------------------------------------------------------- the air and the pods

set -- --out "$out" --pod-program "$pod" --interval-ms "$interval"
[ -z "$strap" ] || set -- "$@" --strap
for pod_and_drift in $pods; do set -- "$@" --pod "$pod_and_drift"; done
while read -r fault; do
    [ -z "$fault" ] || set -- "$@" --fault "$fault"
done <<FAULTS
$faults
FAULTS
"$python" "$here/air.py" "$@" -- "--seed=$seed" "--speed=$speed" "--stand-s=$stand" >"$out/log/air" 2>&1 &
air=$!
tenths=300
until [ -e "$out/port" ]; do
    tenths=$((tenths - 1))
    if [ "$tenths" = 0 ] || ! kill -0 "$air" 2>/dev/null; then
        cat "$out/log/air" >&2
        say 'no air'
        exit 98
    fi
    sleep 0.1
done

# --------------------------------------------------------------------------------------------------------------- the machine

# A hypervisor inside a hypervisor may be there and not work, so it is not tried unasked.
accel=${LOPE_BLUEZ_ACCEL:-tcg,thread=multi}
say "booting $release ($accel)"
began=$(date +%s)
set +e
timeout --foreground "$limit" qemu-system-x86_64 -machine q35 -accel "$accel" -cpu max -smp 2 -m 1024 -nodefaults -display none \
    -no-reboot -kernel "$kernel/boot/vmlinuz-$release" -initrd "$job/initramfs" \
    -append "console=ttyS0 quiet loglevel=3 panic=-1 lope_inside=$here/inside.sh lope_job=$job" -serial stdio \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
    -virtfs "local,path=$out,mount_tag=out,security_model=none" \
    -chardev "socket,id=hci,host=127.0.0.1,port=$(cat "$out/port")" -device virtio-serial -device virtserialport,chardev=hci \
    </dev/null 2>"$job/qemu" | tr -d '\r' | tee "$job/console"
set -e
result=$(sed -n 's/^BLUEZ-RESULT \([0-9][0-9]*\)$/\1/p' "$job/console" | tail -n 1)
say "$(($(date +%s) - began)) s, status ${result:-none}; logs in $out/log"
if [ -z "$result" ]; then
    sed 's/^/bluez: qemu: /' "$job/qemu" >&2
    exit 97
fi
exit "$result"
