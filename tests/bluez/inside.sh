#!/bin/sh
# The second program of the machine that run.sh boots, on the host's files, which it can read and not write. Brings up what a
# Linux desktop has for Bluetooth, takes the controller from outside, runs the command, tells its status and powers off.
# Its only argument is the folder of the job.
set -u
job=$1
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

end() { # STATUS
    echo "BLUEZ-RESULT $1"
    sync
    echo o >/proc/sysrq-trigger
    # The power goes a moment later.
    read -r _ </dev/zero
}
came_to_nothing() { echo "bluez-inside: $1"; end 98; }

for mount in 'proc /proc' 'sysfs /sys' 'devtmpfs /dev' 'tmpfs /run' 'tmpfs /var/lib/bluetooth'; do
    # Some may be there already; what is needed and is not is found soon.
    mount -t "${mount%% *}" none "${mount##* }" 2>/dev/null
done
mkdir -p /dev/pts /dev/shm /run/dbus /run/lope /run/out
mount -t devpts none /dev/pts 2>/dev/null
mount -t tmpfs none /dev/shm
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out /run/out || came_to_nothing 'nowhere to write'
BLUEZ_OUT=/run/out HOME=/run/lope XDG_RUNTIME_DIR=/run/lope TMPDIR=/run/lope PYTHONDONTWRITEBYTECODE=1
export BLUEZ_OUT HOME XDG_RUNTIME_DIR TMPDIR PYTHONDONTWRITEBYTECODE
ip link set lo up || busybox ip link set lo up || came_to_nothing 'no loopback'

command_relay='' command_pwd='' command_path=''
# shellcheck source=/dev/null
. "$job/settings"

# Waits until a command says yes, at most so many tenths of a second.
wait_for() { # TENTHS COMMAND…
    tenths=$1
    shift
    until "$@" >/dev/null 2>&1; do
        tenths=$((tenths - 1))
        [ "$tenths" -gt 0 ] || return 1
        sleep 0.1
    done
}
has_adapter() {
    dbus-send --system --print-reply --dest=org.bluez /org/bluez/hci0 org.freedesktop.DBus.Properties.Get \
        string:org.bluez.Adapter1 string:Address
}
is_powered() {
    dbus-send --system --print-reply --dest=org.bluez /org/bluez/hci0 org.freedesktop.DBus.Properties.Get \
        string:org.bluez.Adapter1 string:Powered | grep -q 'boolean true'
}

# The host's machine-id may be missing in a container; the bus wants one.
[ -s /etc/machine-id ] || { dbus-uuidgen >/run/machine-id && mount --bind /run/machine-id /etc/machine-id; }
dbus-daemon --system --fork --nopidfile 2>"$BLUEZ_OUT/log/dbus" || came_to_nothing 'no D-Bus'
/usr/libexec/bluetooth/bluetoothd --nodetach ${LOPE_BLUETOOTHD_DEBUG:+--debug} >"$BLUEZ_OUT/log/bluetoothd" 2>&1 &

# The kernel's controller is outside: see run.sh.
has_port() { set -- /dev/vport*; [ -e "$1" ]; }
wait_for 100 has_port || came_to_nothing 'no port to the controller'
# There is one; its number depends on the order of the devices.
"$command_relay" /dev/vport* >"$BLUEZ_OUT/log/relay" 2>&1 &
relay=$!

has_adapter_or_is_lost() { has_adapter || ! kill -0 "$relay"; }
wait_for 150 has_adapter_or_is_lost
has_adapter >/dev/null 2>&1 || came_to_nothing 'bluetoothd shows no adapter'
dbus-send --system --print-reply --dest=org.bluez /org/bluez/hci0 org.freedesktop.DBus.Properties.Set \
    string:org.bluez.Adapter1 string:Powered variant:boolean:true >/dev/null 2>&1
wait_for 200 is_powered || came_to_nothing 'the adapter has no power'
echo "bluez-inside: up after $(cut -d' ' -f1 /proc/uptime) s"

cd "$command_pwd" || came_to_nothing "no folder $command_pwd"
(
    PATH=$command_path
    export PATH
    # shellcheck source=/dev/null
    . "$job/command"
)
status=$?
echo "bluez-inside: the command ended after $(cut -d' ' -f1 /proc/uptime) s"
end "$status"
