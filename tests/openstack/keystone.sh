# shellcheck shell=bash
# Keystone under uwsgi: identity, tokens, catalog.

configure_keystone() {
    cat >"$ETC/keystone.conf" <<END
[DEFAULT]
use_stderr = true
public_endpoint = http://127.0.0.1:${PORT[keystone]}/
[database]
connection = $(database_url keystone)
[cache]
enabled = true
backend = dogpile.cache.memcached
memcache_servers = 127.0.0.1:${PORT[memcached]}
[token]
expiration = $TOKEN_SECONDS
[fernet_tokens]
key_repository = $DATA/keystone/fernet
[fernet_receipts]
key_repository = $DATA/keystone/fernet
[credential]
key_repository = $DATA/keystone/credential
[identity]
# bcrypt's lowest cost: a login takes 10 ms of processor instead of 250.
password_hash_rounds = 4
$(default_policy)
END
}

schema_keystone() {
    mkdir -p "$DATA/keystone"
    keystone_manage db_sync &&
        keystone_manage fernet_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)" &&
        keystone_manage credential_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)" &&
        keystone_manage bootstrap --bootstrap-username admin --bootstrap-password "$(secret admin)" \
            --bootstrap-project-name admin --bootstrap-role-name admin \
            --bootstrap-service-name keystone --bootstrap-region-id "$REGION" \
            --bootstrap-public-url "$KEYSTONE_URL" --bootstrap-internal-url "$KEYSTONE_URL" --bootstrap-admin-url "$KEYSTONE_URL"
}

keystone_manage() { console keystone.cmd.manage --config-file "$ETC/keystone.conf" "$@"; }

# Written anew, so that a start takes up another SIMPLESCALEVM_OPENSTACK_TOKEN_SECONDS; and one that gives tokens another
# life, as a killed test leaves it, is started again.
start_keystone() {
    local made_with=$RUN/keystone-token-seconds
    [[ $(cat "$made_with" 2>/dev/null) == "$TOKEN_SECONDS" ]] || stop 10 keystone
    runs keystone || configure_keystone
    echo "$TOKEN_SECONDS" >"$made_with"
    OS_KEYSTONE_CONFIG_FILES=$ETC/keystone.conf start_uwsgi keystone /usr/bin/keystone-wsgi-public 2 4
}

ready_keystone() { await keystone 90 answers "$KEYSTONE_URL"; }
