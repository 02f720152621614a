# shellcheck shell=bash
# Where everything is and what it is called. Sourced first by up, down and service.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
CALLERS_UMASK=$(umask)
umask 077

# The caller's own OpenStack, proxy and Python settings must reach neither the services nor what fills them.
PROXIES=() # apt's, for which they were meant
for variable in $(compgen -e); do
    case $variable in
        *_proxy | *_PROXY) PROXIES+=("$variable=${!variable}") ;;&
        OS_* | *_proxy | *_PROXY | PYTHON* | VIRTUAL_ENV) unset "$variable" ;;
    esac
done
unset variable

SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
DIR=$(realpath -m "${SIMPLESCALEVM_OPENSTACK_DIR:-$SOURCE/../../target/openstack}")
ETC=$DIR/etc             # configuration, written anew by each run
LOG=$DIR/log             # one file per service
RUN=$DIR/run             # what runs: NAME.pid
DATA=$DIR/data           # databases, queues, images, keys, marks of what is done
KNOBS=$DIR/knobs         # files that make builds and deletions fail or wait
UNPACKED=$DIR/packages   # files out of packages that are not installed
SECRETS=$DIR/secrets     # made at random by the first run
MARK=$DIR/.simplescalevm-openstack # says that up has made the directory
TESTS_LOCK=$DIR/tests.lock         # held by each test (tests/real/cloud.rs)
ENABLED_BEFORE=$DATA/enabled-before # there while an installation is on

REGION=SBG7
# Each project has a member of the same name. Tests that run at the same time have a project each.
PROJECTS=(simplescalevm-test simplescalevm-test-2 simplescalevm-test-3 simplescalevm-test-4 simplescalevm-test-5)
COMPUTE_HOST=fake1
# Debian's interpreter by its path: another one may come first in PATH and lacks the OpenStack modules.
PYTHON=/usr/bin/python3

# Upstream's ports plus an offset: away from a stock OpenStack, and below the kernel's ephemeral ports (32768 on).
# Ports are in Keystone's catalog and Nova's cell, so state that exists keeps the offset it was made with.
PORT_OFFSET=${SIMPLESCALEVM_OPENSTACK_PORT_OFFSET:-$(cat "$DATA/port-offset" 2>/dev/null || echo 21000)}
declare -A PORT=(
    [keystone]=$((5000 + PORT_OFFSET))
    [nova-api]=$((8774 + PORT_OFFSET))
    [placement]=$((8778 + PORT_OFFSET))
    [glance]=$((9292 + PORT_OFFSET))
    [neutron]=$((9696 + PORT_OFFSET))
    [mariadb]=$((3306 + PORT_OFFSET))
    [epmd]=$((4369 + PORT_OFFSET))
    [rabbitmq]=$((5672 + PORT_OFFSET))
    [rabbitmq-distribution]=$((5673 + PORT_OFFSET))
    [memcached]=$((11211 + PORT_OFFSET))
)
KEYSTONE_URL=http://127.0.0.1:${PORT[keystone]}/v3
GLANCE_URL=http://127.0.0.1:${PORT[glance]}
PLACEMENT_URL=http://127.0.0.1:${PORT[placement]}
NOVA_URL=http://127.0.0.1:${PORT[nova-api]}/v2.1
NEUTRON_URL=http://127.0.0.1:${PORT[neutron]}

TOKEN_SECONDS=${SIMPLESCALEVM_OPENSTACK_TOKEN_SECONDS:-3600}

# Everything in 127/8 is this machine, so whatever listens on a server's address is that server's service.
NETWORK_V4=127.30.0.0/16
NETWORK_V6=fd73:7376:6d00::/64
PUBLIC_V4=127.40.0.0/24
SECOND_V4=127.50.0.0/16

say() { printf '%4ds  %s\n' "$SECONDS" "$*"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# A random password under a name, the same one each time.
secret() {
    local file=$SECRETS/$1
    [[ -s $file ]] || od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$file"
    cat "$file"
}

# As root if we are not: only apt and the IPv6 route need it.
as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Does FUNCTION the first time only; what it says goes to a log of its own.
once() {
    local name=$1
    shift
    [[ -e $DATA/done/$name ]] && return
    "$@" >>"$LOG/$name.log" 2>&1 || return
    : >"$DATA/done/$name"
}

# Whether up has made the directory, which alone may be filled and emptied.
have_directory() {
    [[ ! -e $DIR || -O $DIR ]] || die "$DIR is another user's: run this as that user"
    # The second: made before there was a mark.
    [[ -e $MARK || -e $DATA/port-offset ]]
}

claim_directory() {
    [[ $DIR != *[[:space:]]* ]] || die "$DIR: RabbitMQ's scripts can't live with a blank in the path; set SIMPLESCALEVM_OPENSTACK_DIR"
    have_directory || [[ -z $(ls -A "$DIR" 2>/dev/null) ]] ||
        die "$DIR is not empty, and not made by up: set SIMPLESCALEVM_OPENSTACK_DIR to an empty or a new directory"
    # The one above is the caller's own, usually cargo's, with the rights it would have without us.
    (umask "$CALLERS_UMASK" && mkdir -p "$(dirname "$DIR")")
    mkdir -p "$DIR"
    : >"$MARK"
}

make_directories() {
    local project
    mkdir -p "$ETC" "$LOG" "$RUN" "$DATA/done" "$DATA/home" "$DATA/locks" "$KNOBS" "$UNPACKED" "$SECRETS"
    # Erlang's cookie and Python's caches go to HOME: not to the caller's.
    export HOME=$DATA/home
    # Whatever file it is told to read, a service also reads NAME.conf.d and policy.d: the first of those in HOME and /etc.
    for project in keystone glance placement nova neutron; do mkdir -p "$HOME/.$project"/{"$project.conf",policy}.d; done
}
