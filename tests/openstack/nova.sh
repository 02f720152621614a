# shellcheck shell=bash
# Nova: API, conductor, scheduler, and one compute host whose hypervisor is nova's own fake driver (nova_fake/).

configure_nova() {
    mkdir -p "$DATA/nova/instances"
    cat >"$ETC/nova.conf" <<END
[DEFAULT]
use_stderr = true
state_path = $DATA/nova
my_ip = 127.0.0.1
host = $COMPUTE_HOST
transport_url = $(transport_url)
graceful_shutdown_timeout = 2
enabled_apis = osapi_compute
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = ${PORT[nova-api]}
osapi_compute_workers = 2
compute_driver = simplescalevm_fake.KnobbedFakeDriver
# The fake host has 1000 processors, 800 GB and 600 TB; with these it takes any number of servers.
cpu_allocation_ratio = 100.0
ram_allocation_ratio = 100.0
disk_allocation_ratio = 10.0
reserved_host_memory_mb = 0
# Bounded: sixty at once only make Placement and Neutron refuse each other's updates and try again.
max_concurrent_builds = 10
executor_thread_pool_size = 20
# The fake hypervisor forgets its guests when it is restarted: Nova is not to "repair" that.
sync_power_state_interval = -1
running_deleted_instance_action = noop
heal_instance_info_cache_interval = -1
report_interval = 10
service_down_time = 60
[compute]
provider_config_location = $ETC/none
[api]
auth_strategy = keystone
# Small pages: a pool of 20 is two of them, and an empty third.
max_limit = 10
[api_database]
connection = $(database_url nova_api)
max_pool_size = 20
[database]
connection = $(database_url nova)
max_pool_size = 20
[wsgi]
api_paste_config = $UNPACKED/nova.ini
[quota]
instances = -1
cores = -1
ram = -1
[scheduler]
workers = 1
max_placement_results = 10
[filter_scheduler]
# Nova's defaults, and the one that counts servers against the host aggregate's max_instances_per_host.
enabled_filters = ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter,AggregateNumInstancesFilter
max_instances_per_host = 100000
[conductor]
workers = 1
[vnc]
enabled = false
[glance]
api_servers = $GLANCE_URL
$(default_policy)
$(accept_tokens nova compute)
$(credentials placement nova)
$(credentials neutron nova)
$(credentials service_user nova)
send_service_user_token = true
$(messaging)
END
}

schema_nova() {
    nova_manage api_db sync &&
        nova_manage cell_v2 map_cell0 --database_connection "$(database_url nova_cell0)" &&
        { nova_manage cell_v2 create_cell --name cell1 || (($? == 2)); } && # 2: it is there
        nova_manage db sync
}

nova_manage() { console nova.cmd.manage --config-file "$ETC/nova.conf" "$@"; }

start_nova_part() { start "nova-$1" "$PYTHON" -c "$(console_code "nova.cmd.$1")" --config-file "$ETC/nova.conf"; }

start_nova_api() { start_nova_part api; }
ready_nova_api() { await nova-api 90 answers "http://127.0.0.1:${PORT[nova-api]}/"; }

# Conductor and scheduler end for good when Keystone or Placement refuses them: they are started after those.
start_nova_conductor() { start_nova_part conductor; }
start_nova_scheduler() { start_nova_part scheduler; }
start_nova_compute() {
    start nova-compute env SIMPLESCALEVM_OPENSTACK_KNOBS="$KNOBS" \
        "$PYTHON" "$SOURCE/nova_fake/nova-compute" --config-file "$ETC/nova.conf"
}

# These three have no port. Each reports itself in the database every 10 s, the first time when it is ready.
ready_nova_conductor() { ready_nova_part conductor; }
ready_nova_scheduler() { ready_nova_part scheduler; }
ready_nova_compute() { ready_nova_part compute; }
ready_nova_part() { await "nova-$1" 90 reports "nova-$1"; }

reports() {
    local started_at now
    now=$(date +%s)
    started_at=$(stat -c %Y "$RUN/$1.pid")
    # The row of an earlier run is still there: it counts only when it is younger than the process.
    [[ $(sql "SELECT COUNT(*) FROM nova.services WHERE deleted = 0 AND services.binary = '$1'
        AND COALESCE(last_seen_up, created_at) > UTC_TIMESTAMP() - INTERVAL $((now - started_at)) SECOND") == 1 ]]
}

# A new compute host belongs to no cell until it is looked for.
map_compute_host() {
    nova_manage cell_v2 discover_hosts --verbose &&
        [[ $(sql "SELECT COUNT(*) FROM nova_api.host_mappings WHERE host = '$COMPUTE_HOST'") == 1 ]]
}
