# shellcheck shell=bash
# Pieces of configuration that several OpenStack services share.

database_url() { echo "mysql+pymysql://openstack:$(secret database)@127.0.0.1:${PORT[mariadb]}/$1?charset=utf8"; }

transport_url() { echo "rabbit://openstack:$(secret rabbitmq)@127.0.0.1:${PORT[rabbitmq]}/"; }

# credentials SECTION USER: how one service logs in to talk to another.
credentials() {
    cat <<END
[$1]
auth_type = password
auth_url = $KEYSTONE_URL
project_domain_id = default
user_domain_id = default
project_name = service
username = $2
password = $(secret service)
region_name = $REGION
END
}

# accept_tokens USER TYPE: keystonemiddleware's section. Its cache is 3 seconds: with the default, 300, a revoked token
# would go on working for five minutes and a stopped Keystone would go unnoticed as long. It refuses every application
# credential with access rules unless it knows the type of the service in the catalog.
accept_tokens() {
    credentials keystone_authtoken "$1"
    cat <<END
service_type = $2
www_authenticate_uri = $KEYSTONE_URL
memcached_servers = 127.0.0.1:${PORT[memcached]}
token_cache_time = 3
service_token_roles = service
service_token_roles_required = true
END
}

# Reconnecting in small steps: an outage of the bus is over a second or two after the bus is back.
messaging() {
    cat <<END
[oslo_messaging_rabbit]
heartbeat_in_pthread = false
kombu_reconnect_delay = 0.5
rabbit_retry_backoff = 1
rabbit_interval_max = 2
[oslo_concurrency]
lock_path = $DATA/locks
END
}

# A policy file that isn't there: the defaults in the code hold, whatever is in /etc.
default_policy() { printf '[oslo_policy]\npolicy_file = %s\n' "$ETC/none.yaml"; }

# The console scripts (nova-api, glance-manage ...) are in packages that are not installed: they are two lines each.
console() {
    local module=$1
    shift
    "$PYTHON" -c "$(console_code "$module")" "$@"
}
console_code() { echo "import sys; from $1 import main; sys.exit(main())"; }

# start_uwsgi NAME FILE PROCESSES THREADS. uwsgi's own HTTP closes after each answer: it has to say so, or clients
# that reuse connections meet resets.
start_uwsgi() {
    start "$1" /usr/bin/uwsgi --plugins-dir /usr/lib/uwsgi/plugins --plugin python3 \
        --http-socket "127.0.0.1:${PORT[$1]}" --wsgi-file "$2" --processes "$3" --threads "$4" --enable-threads \
        --master --lazy-apps --die-on-term --no-orphans --thunder-lock --listen 128 \
        --buffer-size 65535 --post-buffering 65536 --disable-logging \
        --add-header 'Connection: close' --procname-prefix "simplescalevm-$1 "
}
