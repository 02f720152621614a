# shellcheck shell=bash
# Neutron: API and database only. An ML2 mechanism driver of ours (neutron_driver/) stands in for the agents.

configure_neutron() {
    mkdir -p "$DATA/neutron"
    cat >"$ETC/neutron.conf" <<END
[DEFAULT]
use_stderr = true
state_path = $DATA/neutron
bind_host = 127.0.0.1
bind_port = ${PORT[neutron]}
transport_url = $(transport_url)
graceful_shutdown_timeout = 2
core_plugin = ml2
service_plugins = router
api_workers = 2
rpc_workers = 1
rpc_state_report_workers = 0
api_paste_config = $UNPACKED/neutron.ini
auth_strategy = keystone
# The fake hypervisor waits for no "vif plugged". Data changes bring floating IPs into Nova's addresses.
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = true
send_events_interval = 1
dhcp_agent_notification = false
network_auto_schedule = false
router_auto_schedule = false
[database]
connection = $(database_url neutron)
max_pool_size = 20
[quotas]
default_quota = -1
quota_network = -1
quota_subnet = -1
quota_port = -1
quota_router = -1
quota_floatingip = -1
quota_security_group = -1
quota_security_group_rule = -1
$(default_policy)
$(accept_tokens neutron network)
$(credentials nova nova)
$(credentials placement neutron)
$(messaging)
END
    cat >"$ETC/ml2.ini" <<END
[ml2]
type_drivers = local,flat
tenant_network_types = local
mechanism_drivers = simplescalevm
extension_drivers = port_security
[ml2_type_flat]
flat_networks = *
[securitygroup]
enable_security_group = true
END
}

schema_neutron() {
    console neutron.db.migration.cli --config-file "$ETC/neutron.conf" --config-file "$ETC/ml2.ini" upgrade heads
}

# PYTHONPATH makes the driver known: the directory beside it carries its entry point.
start_neutron() {
    start neutron env PYTHONPATH="$SOURCE/neutron_driver" PYTHONDONTWRITEBYTECODE=1 \
        "$PYTHON" -c "$(console_code neutron.cmd.eventlet.server)" --config-file "$ETC/neutron.conf" --config-file "$ETC/ml2.ini"
}

ready_neutron() { await neutron 120 answers "$NEUTRON_URL/"; }
