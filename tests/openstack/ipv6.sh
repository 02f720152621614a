# shellcheck shell=bash
# The IPv6 addresses of servers answer on this machine, as those of 127/8 do by themselves: one route in table "local".

add_ipv6_route() {
    [[ -e /proc/net/if_inet6 && $(cat /proc/sys/net/ipv6/conf/lo/disable_ipv6) == 0 ]] || {
        say "no IPv6 on this machine: servers' IPv6 addresses will not answer"
        return
    }
    [[ -z $(ip -6 route show table local exact "$NETWORK_V6") ]] || return 0
    if as_root ip -6 route add local "$NETWORK_V6" dev lo; then
        boot_id >"$RUN/ipv6-route"
    else
        say "no local route for $NETWORK_V6: servers' IPv6 addresses will not answer"
    fi
}

remove_ipv6_route() {
    [[ $(cat "$RUN/ipv6-route" 2>/dev/null) != "$(boot_id)" ]] || as_root ip -6 route del local "$NETWORK_V6" dev lo || true
    rm -f "$RUN/ipv6-route"
}
