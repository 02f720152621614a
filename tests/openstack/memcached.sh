# shellcheck shell=bash
# memcached: Keystone's cache, and the services' cache of tokens.

start_memcached() {
    start memcached /usr/bin/memcached -u "$(id -un)" -l 127.0.0.1 -p "${PORT[memcached]}" -U 0 -m 64 -c 2048
}

ready_memcached() { await memcached 10 listens "${PORT[memcached]}"; }
