# shellcheck shell=bash
# What up refuses to touch: ports and services that are the user's.

# Units and processes of the kinds we bring: an upgrade under them would restart or break them.
KIND_UNITS=('mariadb*' 'mysql*' 'rabbitmq-server*' 'memcached*' 'epmd*' 'uwsgi*' 'keystone*' 'glance-*' 'placement-*'
    'nova-*' 'neutron-*' 'devstack@*')
KIND_PROCESSES='mariadbd|mysqld|beam.smp|memcached|uwsgi|keystone|glance-api|placement-api|nova-.*|neutron-.*'

refuse_foreign_ports() {
    local name owner
    for name in "${!PORT[@]}"; do
        # The distribution port is opened by rabbitmq, which is there or not.
        runs "${name%-distribution}" && continue
        listens "${PORT[$name]}" || continue
        owner=$(ss -Hltnp "sport = :${PORT[$name]}" 2>/dev/null | awk '{ print $NF; exit }' || true)
        die "port ${PORT[$name]}, wanted for $name, is taken by ${owner:-another process}, which is not ours.
  Nothing was changed. Choose other ports: SIMPLESCALEVM_OPENSTACK_PORT_OFFSET=N (now $PORT_OFFSET; upstream's ports plus N)"
    done
}

refuse_other_offset() {
    local made_with
    made_with=$(cat "$DATA/port-offset" 2>/dev/null || echo "$PORT_OFFSET")
    [[ $made_with == "$PORT_OFFSET" ]] ||
        die "the cloud in $DIR was made with SIMPLESCALEVM_OPENSTACK_PORT_OFFSET=$made_with, its catalog says so: unset it, or 'down --wipe' first"
    echo "$PORT_OFFSET" >"$DATA/port-offset"
}

refuse_other_release() {
    [[ $(grep -cxE 'ID=debian|VERSION_ID="12"' /etc/os-release) == 2 ]] ||
        may_go_on "this system is not Debian 12, whose packages are wanted"
}

# refuse_to_disturb PLAN: the output of apt-get --simulate install.
refuse_to_disturb() {
    local upgrades removals running
    removals=$(awk '/^Remv / { print $2 }' "$1" | paste -sd ' ')
    [[ -z $removals ]] || may_go_on "the installation would remove packages: $removals"
    upgrades=$(awk '/^Inst / && $3 ~ /^\[/ { print $2 }' "$1" | paste -sd ' ')
    running=$(running_of_our_kind)
    [[ -z $upgrades || -z $running ]] ||
        may_go_on "the installation would upgrade packages ($upgrades) while services of the same kind run here ($running)"
}

# Services of our kinds that we did not start.
running_of_our_kind() {
    if [[ -d /run/systemd/system ]]; then
        systemctl list-units --state=active --plain --no-legend "${KIND_UNITS[@]}" | awk '$1 ~ /\.service$/ { print $1 }'
    else
        local process name
        # A bare system has no ps yet.
        for process in /proc/[0-9]*; do
            name=$(cat "$process/comm" 2>/dev/null) || continue
            [[ ! $name =~ ^($KIND_PROCESSES)$ ]] || is_ours "$process" || echo "$name"
        done
    fi | sort -u | paste -sd ' '
}

# The process at /proc/PID is in a session that we started.
is_ours() {
    local stat fields pidfile
    stat=$(cat "$1/stat" 2>/dev/null) || return
    read -ra fields <<<"${stat##*) }"
    for pidfile in "$RUN"/*.pid; do
        [[ -e $pidfile && ${fields[3]} == "$(cut -d ' ' -f 1 "$pidfile")" ]] && return
    done
    return 1
}

may_go_on() {
    [[ ${SIMPLESCALEVM_OPENSTACK_FORCE:-} == 1 ]] && {
        say "warning: $1; going on, SIMPLESCALEVM_OPENSTACK_FORCE is 1"
        return
    }
    die "$1.
  Nothing was changed. Use another machine or container, or go on nevertheless: SIMPLESCALEVM_OPENSTACK_FORCE=1"
}
