# shellcheck shell=bash
# Glance: one image, in files. The fake hypervisor never fetches it.

configure_glance() {
    mkdir -p "$DATA"/glance/{images,staging,tasks}
    cat >"$ETC/glance-api.conf" <<END
[DEFAULT]
use_stderr = true
bind_host = 127.0.0.1
bind_port = ${PORT[glance]}
workers = 1
enabled_backends = file:file
public_endpoint = $GLANCE_URL
graceful_shutdown_timeout = 2
[database]
connection = $(database_url glance)
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = $DATA/glance/images
[os_glance_staging_store]
filesystem_store_datadir = $DATA/glance/staging
[os_glance_tasks_store]
filesystem_store_datadir = $DATA/glance/tasks
[paste_deploy]
flavor = keystone
config_file = $UNPACKED/glance.ini
$(default_policy)
$(accept_tokens glance image)
$(messaging)
END
}

schema_glance() { console glance.cmd.manage --config-file "$ETC/glance-api.conf" db_sync; }

start_glance() { start glance "$PYTHON" -c "$(console_code glance.cmd.api)" --config-file "$ETC/glance-api.conf"; }

ready_glance() { await glance 90 answers "$GLANCE_URL/"; }
