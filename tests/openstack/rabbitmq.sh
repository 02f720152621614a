# shellcheck shell=bash
# RabbitMQ: the bus between Nova's parts. epmd, Erlang's port mapper, is started by us as well: else the first Erlang
# program starts one on every address, which stays behind for good.

configure_rabbitmq() {
    # The empty ones keep out what is in /etc/rabbitmq.
    mkdir -p "$DATA/rabbitmq" "$ETC/rabbitmq.conf.d"
    echo '[].' | tee "$ETC/rabbitmq-plugins" >"$ETC/rabbitmq-advanced.config"
    : >"$ETC/rabbitmq-env.conf"
    cat >"$ETC/rabbitmq.conf" <<END
listeners.tcp.1 = 127.0.0.1:${PORT[rabbitmq]}
default_user = openstack
default_pass = $(secret rabbitmq)
log.file = false
log.console = true
log.console.level = warning
vm_memory_high_watermark.absolute = 1GiB
disk_free_limit.absolute = 50MB
END
}

start_epmd() {
    start epmd env ERL_EPMD_ADDRESS=127.0.0.1 /usr/bin/epmd -address 127.0.0.1 -port "${PORT[epmd]}"
}

ready_epmd() { await epmd 10 listens "${PORT[epmd]}"; }

# The script itself, not the wrapper in /usr/sbin, which wants to become the user "rabbitmq".
# Erlang's schedulers spin for work by default: sbwt none leaves the processor to the others.
start_rabbitmq() {
    start rabbitmq env ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="${PORT[epmd]}" \
        RABBITMQ_NODENAME=simplescalevm@localhost RABBITMQ_DIST_PORT="${PORT[rabbitmq-distribution]}" \
        RABBITMQ_CONF_ENV_FILE="$ETC/rabbitmq-env.conf" RABBITMQ_CONFIG_FILE="$ETC/rabbitmq.conf" \
        RABBITMQ_CONFIG_FILES="$ETC/rabbitmq.conf.d" RABBITMQ_ADVANCED_CONFIG_FILE="$ETC/rabbitmq-advanced.config" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$ETC/rabbitmq-plugins" \
        RABBITMQ_MNESIA_BASE="$DATA/rabbitmq" RABBITMQ_LOG_BASE="$LOG" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none' \
        /usr/lib/rabbitmq/bin/rabbitmq-server
}

ready_rabbitmq() { await rabbitmq 90 listens "${PORT[rabbitmq]}"; }
