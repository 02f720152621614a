# shellcheck shell=bash disable=SC2154  # what lib.sh sets
# A container whose process 1 is systemd, and what is asked of it. Sourced after lib.sh; `box` names the
# container, `service` the unit that is meant when none is named, `work` a directory.

systemd_image=${SYSTEMD_IMAGE:-simplescalevm-test/systemd}
systemd_image() {
    docker image inspect "$systemd_image" >/dev/null 2>&1 && return
    debootstrap --variant=minbase \
        --include=systemd,systemd-sysv,dbus,init-system-helpers,procps,cron,curl,man-db bookworm "$work/root" \
        "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
    tar -C "$work/root" -cf - . | docker import - "$systemd_image"
}

# Everything that systemd may use of the kernel, and shared mounts, without which it cannot hand out credentials (on a real
# machine it makes them itself); `--privileged` fails where the machine lacks one capability itself.
# boot IMAGE [OPTION...]
boot() {
    local image=$1 rights=(--cap-add=ALL)
    shift
    # Bit 24 of the bounding set: this machine may not raise limits, so no container may.
    ((0x$(awk '/^CapBnd/ { print $2 }' /proc/self/status) & 1 << 24)) || rights+=(--cap-drop=SYS_RESOURCE)
    docker run -d --name "$box" "${rights[@]}" --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
        --security-opt systempaths=unconfined --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw \
        --tmpfs /run --tmpfs /run/lock --stop-signal=SIGRTMIN+3 "$@" "$image" \
        sh -c 'mount --make-rshared / && exec /lib/systemd/systemd'
}
inside() { timeout 120 docker exec "$box" "$@"; }
sh_inside() { inside sh -c "$1"; }
is_up() { says '^(running|degraded)$' inside systemctl is-system-running; }
property() { inside systemctl show -P "$1" "${2:-$service}"; } # PROPERTY [UNIT]
is() { # VALUE PROPERTY [UNIT]
    local got unit=${3:-$service}
    got=$(property "$2" "$unit")
    [[ $got == "$1" ]] || { echo "$2 is \"$got\", not \"$1\""; inside journalctl --no-pager -n 20 -u "$unit"; return 1; }
}
is_rated() { # WORST UNIT
    local rating
    rating=$(inside systemd-analyze security --no-pager "$2" | sed -n 's/.*exposure level[^:]*: \([0-9.]*\).*/\1/p')
    echo "security $rating: $2" >>"${figures:-/dev/null}"
    awk "BEGIN { exit !(\"$rating\" != \"\" && $rating <= $1) }" || { echo "rated \"$rating\""; return 1; }
}
journal() { inside journalctl --no-pager -o cat "$@"; }
main_pid() { property MainPID "${1:-$service}"; }
new_pid() { local now; now=$(main_pid "${2:-$service}"); [[ $now != 0 && $now != "$1" ]]; } # OLD [UNIT]
# Never process 0, which would mean whoever asks.
signal() { # SIGNAL [UNIT]
    local pid
    pid=$(main_pid "${2:-$service}")
    [[ $pid != 0 ]] && inside kill "$1" "$pid"
}
