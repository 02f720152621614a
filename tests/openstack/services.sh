# shellcheck shell=bash
# All services: what up starts, what down stops, what service knows by name.
# shellcheck source-path=SCRIPTDIR

. "$SOURCE/oslo.sh"
. "$SOURCE/mariadb.sh"
. "$SOURCE/memcached.sh"
. "$SOURCE/rabbitmq.sh"
. "$SOURCE/keystone.sh"
. "$SOURCE/placement.sh"
. "$SOURCE/glance.sh"
. "$SOURCE/neutron.sh"
. "$SOURCE/nova.sh"

# In the order in which they can be started; stopped from the end.
BACKENDS=(mariadb memcached epmd rabbitmq)
OPENSTACK=(keystone placement glance neutron nova-api nova-conductor nova-scheduler nova-compute)
SERVICES=("${BACKENDS[@]}" "${OPENSTACK[@]}")

start_service() { "start_${1//-/_}"; }
ready_service() { "ready_${1//-/_}"; }

configure_all() {
    configure_rabbitmq
    configure_keystone
    configure_placement
    configure_glance
    configure_neutron
    configure_nova
}

# Tables are made once, all services at a time: it is the longest part of a first run.
create_schemas() {
    local name failed=0
    local -A jobs=()
    for name in keystone placement glance neutron nova; do
        [[ -e $DATA/done/schema-$name ]] && continue
        ((${#jobs[@]})) || say "creating the tables"
        # The lock stays open: were we killed, nobody is to begin anew beside these.
        once "schema-$name" "schema_$name" 8>&- &
        jobs[$name]=$!
    done
    for name in "${!jobs[@]}"; do
        wait "${jobs[$name]}" || {
            echo "creating the tables of $name failed, see $LOG/schema-$name.log" >&2
            failed=1
        }
    done
    ((failed == 0)) || exit 1
}

# APIs get little time to end: an idle kept-alive connection would hold them for long.
stop_openstack() { stop 6 "${OPENSTACK[@]}"; }
stop_backends() {
    stop 30 rabbitmq memcached mariadb
    stop 5 epmd
}
