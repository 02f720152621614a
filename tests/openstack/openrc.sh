# shellcheck shell=bash
# The files a user of the cloud sources. Each unsets what another one may have set.

write_openrcs() {
    local project of
    for project in "${PROJECTS[@]}"; do
        of=${project#"${PROJECTS[0]}"} # nothing, -2, -3 ...
        write_openrc "openrc$of" <<END
export OS_AUTH_TYPE=password OS_USERNAME=$project OS_PASSWORD=$(secret member) OS_USER_DOMAIN_NAME=Default
export OS_PROJECT_NAME=$project OS_PROJECT_DOMAIN_NAME=Default
unset OS_APPLICATION_CREDENTIAL_ID OS_APPLICATION_CREDENTIAL_SECRET
END
        write_openrc "openrc-application-credential$of" <<END
export OS_AUTH_TYPE=v3applicationcredential
export OS_APPLICATION_CREDENTIAL_ID=$(cat "$SECRETS/application-credential-id$of")
export OS_APPLICATION_CREDENTIAL_SECRET=$(cat "$SECRETS/application-credential$of")
unset OS_USERNAME OS_PASSWORD OS_USER_DOMAIN_NAME OS_PROJECT_NAME OS_PROJECT_DOMAIN_NAME
END
    done
    write_openrc openrc-admin <<END
export OS_AUTH_TYPE=password OS_USERNAME=admin OS_PASSWORD=$(secret admin) OS_USER_DOMAIN_NAME=Default
export OS_PROJECT_NAME=admin OS_PROJECT_DOMAIN_NAME=Default
unset OS_APPLICATION_CREDENTIAL_ID OS_APPLICATION_CREDENTIAL_SECRET
END
}

write_openrc() {
    {
        echo "export OS_AUTH_URL=$KEYSTONE_URL OS_REGION_NAME=$REGION OS_INTERFACE=public OS_IDENTITY_API_VERSION=3"
        cat
        echo 'unset OS_PROJECT_ID OS_TOKEN OS_CLOUD'
    } >"$DIR/$1"
}
