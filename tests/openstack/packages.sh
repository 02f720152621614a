# shellcheck shell=bash
# Debian's packages: the libraries and programs of OpenStack and MariaDB, not their service packages (nova-api, keystone,
# mariadb-server ...), which would ask questions, make users and start services.

PACKAGES=(
    python3-keystone python3-glance python3-placement python3-nova python3-neutron
    python3-openstackclient # brings openstacksdk, too, which provision.py uses
    python3-pymysql python3-memcache python3-pymemcache
    python3-sqlalchemy-ext # SQLAlchemy's C part: without it every API call is slower
    mariadb-server-core mariadb-client-core rabbitmq-server memcached
    uwsgi-core uwsgi-plugin-python3
    curl iproute2 procps
)
# Only single files are wanted of these, the paste pipelines and a library that moves a process's clock: unpacked, not installed.
UNPACK=(nova-common neutron-common glance-common libfaketime)
POLICY=/usr/sbin/policy-rc.d
WRITTEN_BY='Written by tests/openstack/packages.sh of simplescalevm'

apt() { as_root env "${PROXIES[@]}" DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 "$@"; }

missing_packages() {
    local name
    for name in "${PACKAGES[@]}"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || echo "$name"
    done
}

have_unpacked() {
    local name
    for name in nova.ini neutron.ini glance.ini libfaketime.so.1; do [[ -s $UNPACKED/$name ]] || return; done
}

install_packages() {
    local missing
    # An installation that was killed has left these.
    if [[ -e $ENABLED_BEFORE ]]; then
        ! grep -qsF "$WRITTEN_BY" "$POLICY" || MADE_POLICY=1
        end_installation
    fi
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]} == 0)) && have_unpacked; then return; fi
    refuse_other_release
    say "refreshing apt's lists"
    apt update >"$LOG/apt.log" 2>&1 || die "apt-get update failed, see $LOG/apt.log"
    ((${#missing[@]} == 0)) || install_missing "${missing[@]}"
    have_unpacked || unpack_files
}

install_missing() {
    local plan=$DATA/apt-plan failed=0
    LC_ALL=C apt-get --simulate install --no-install-recommends "$@" >"$plan" 2>>"$LOG/apt.log" ||
        die "apt can't install $*, see $LOG/apt.log"
    refuse_to_disturb "$plan"
    say "installing on this system: $*"
    say "  with what they depend on: $(grep -c '^Inst ' "$plan") packages, of which upgrades: $(awk '/^Inst / && $3 ~ /^\[/ { printf "%s ", $2; n = 1 } END { if (!n) print "none" }' "$plan")"
    enabled_units >"$ENABLED_BEFORE"
    forbid_starts
    # What a killed installation has unpacked and not set up.
    as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a >>"$LOG/apt.log" 2>&1 </dev/null || true
    apt install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@" >>"$LOG/apt.log" 2>&1 </dev/null || failed=1
    end_installation
    ((failed == 0)) || die "apt-get install failed, see $LOG/apt.log"
}

# Nothing is to start because it was installed: policy-rc.d is Debian's way to say so.
forbid_starts() {
    if [[ -e $POLICY ]]; then
        local verdict=0
        "$POLICY" memcached start >/dev/null 2>&1 || verdict=$?
        ((verdict == 101)) || may_go_on "$POLICY is there already and would let installed services start"
        return
    fi
    printf '#!/bin/sh\n# %s, for the time of one installation.\nexit 101\n' "$WRITTEN_BY" | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
    MADE_POLICY=1
}

# Also when up is interrupted, and once more by the next one: that may have been killed.
end_installation() {
    [[ -z ${MADE_POLICY:-} ]] || as_root rm -f "$POLICY"
    MADE_POLICY=
    [[ ! -e $ENABLED_BEFORE ]] || disable_new_units
}

# By systemd's links: systemctl may be missing.
enabled_units() { find /etc/systemd/system -type l -path '*.wants/*' -printf '%f\n' | sort -u; }

# policy-rc.d is about now; what the packages have enabled would start at the next boot.
disable_new_units() {
    local unit new
    mapfile -t new < <(comm -13 "$ENABLED_BEFORE" <(enabled_units) | while read -r unit; do ! is_of_plan "$unit" || echo "$unit"; done)
    ((${#new[@]} == 0)) || disable "${new[@]}"
    rm -f "$ENABLED_BEFORE"
}

# Whether UNIT came with one of the packages that were to be installed: another one is the user's.
is_of_plan() {
    local package
    package=$(dpkg-query -S "*/systemd/system/${1/@*./@.}" 2>/dev/null | sed 's/[:,].*//;q')
    [[ -n $package ]] && grep -Eq "^(Inst|Conf) $package " "$DATA/apt-plan"
}

disable() {
    local unit
    say "disabling what the packages would start at boot: $*"
    for unit in "$@"; do
        # As systemctl disable does.
        as_root find /etc/systemd/system -type l -path '*.wants/*' -name "$unit" -delete
        [[ ! -e /etc/init.d/${unit%.service} ]] || as_root update-rc.d "${unit%.service}" disable
    done >>"$LOG/apt.log" 2>&1 || die "can't disable $*, see $LOG/apt.log"
}

unpack_files() {
    local scratch package
    say "unpacking what is wanted of ${UNPACK[*]} to $UNPACKED"
    scratch=$(mktemp -d)
    chmod 755 "$scratch"
    (
        cd "$scratch" || exit
        env "${PROXIES[@]}" apt-get download "${UNPACK[@]}" >>"$LOG/apt.log" 2>&1 || die "apt-get download failed, see $LOG/apt.log"
        for package in ./*.deb; do dpkg-deb --extract "$package" .; done
        cp usr/share/nova-common/api-paste.ini "$UNPACKED/nova.ini"
        cp usr/share/neutron-common/api-paste.ini "$UNPACKED/neutron.ini"
        cp usr/share/glance-common/glance-api-paste.ini "$UNPACKED/glance.ini"
        cp usr/lib/*/faketime/libfaketime.so.1 "$UNPACKED/"
    )
    rm -rf "$scratch"
    have_unpacked || die "something is missing in ${UNPACK[*]}"
}
