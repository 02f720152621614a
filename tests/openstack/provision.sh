# shellcheck shell=bash
# What the cloud contains: provision.py, with what it has to know.

# provision identity | cloud
provision() {
    REGION=$REGION PROJECTS="${PROJECTS[*]}" COMPUTE_HOST=$COMPUTE_HOST SECRETS=$SECRETS \
        KEYSTONE_URL=$KEYSTONE_URL GLANCE_URL=$GLANCE_URL PLACEMENT_URL=$PLACEMENT_URL NOVA_URL=$NOVA_URL NEUTRON_URL=$NEUTRON_URL \
        NETWORK_V4=$NETWORK_V4 NETWORK_V6=$NETWORK_V6 PUBLIC_V4=$PUBLIC_V4 SECOND_V4=$SECOND_V4 \
        ADMIN_PASSWORD=$(secret admin) MEMBER_PASSWORD=$(secret member) SERVICE_PASSWORD=$(secret service) \
        "$PYTHON" "$SOURCE/provision.py" "$1" >>"$LOG/provision.log" 2>&1 ||
        die "filling the cloud ($1) failed: $(tail -n 1 "$LOG/provision.log") (all of it in $LOG/provision.log)"
}
