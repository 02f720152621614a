# shellcheck shell=bash
# Placement under uwsgi: what the host has and who has claimed it.

configure_placement() {
    # placement-api looks for a file of this name in a directory.
    mkdir -p "$ETC/placement"
    cat >"$ETC/placement/placement.conf" <<END
[DEFAULT]
use_stderr = true
[placement_database]
connection = $(database_url placement)
max_pool_size = 10
[api]
auth_strategy = keystone
$(default_policy)
$(accept_tokens placement placement)
END
}

schema_placement() {
    OS_PLACEMENT_CONFIG_DIR=$ETC/placement console placement.cmd.manage --config-file "$ETC/placement/placement.conf" db sync
}

start_placement() { OS_PLACEMENT_CONFIG_DIR=$ETC/placement start_uwsgi placement /usr/bin/placement-api 2 2; }

ready_placement() { await placement 90 answers "$PLACEMENT_URL/"; }
