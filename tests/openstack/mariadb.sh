# shellcheck shell=bash
# MariaDB: all databases of the cloud. Nothing is synced to the disk: a killed server loses nothing, a power cut all.

configure_mariadb() {
    once mariadb-install install_mariadb || die "mariadb-install-db failed, see $LOG/mariadb-install.log"
}

# From nothing: what an interrupted installation has left counts as a whole one.
install_mariadb() {
    rm -rf "$DATA/mariadb"
    mariadb-install-db --no-defaults "${MARIADB_USER[@]}" --datadir="$DATA/mariadb" \
        --auth-root-authentication-method=normal --skip-test-db
}

# mariadbd refuses to be root unless told to.
MARIADB_USER=()
((EUID != 0)) || MARIADB_USER=(--user=root)

# The socket's name is relative to the data directory: an absolute one may be longer than the 107 bytes a socket may have.
start_mariadb() {
    start mariadb /usr/sbin/mariadbd --no-defaults "${MARIADB_USER[@]}" --datadir="$DATA/mariadb" --socket=mariadb.sock \
        --bind-address=127.0.0.1 --port="${PORT[mariadb]}" --skip-name-resolve --skip-log-bin --max-connections=600 \
        --performance-schema=OFF --innodb-buffer-pool-size=256M --innodb-log-file-size=64M \
        --innodb-flush-log-at-trx-commit=2 --innodb-flush-method=nosync --sync-frm=OFF --innodb-doublewrite=0 --innodb-use-native-aio=0 \
        --character-set-server=utf8mb3 --max-allowed-packet=64M
}

ready_mariadb() { await mariadb 60 sql 'SELECT 1' >/dev/null; }

sql() { (cd "$DATA/mariadb" && mariadb --no-defaults --socket=./mariadb.sock --user=root --skip-column-names --execute "$1" 2>/dev/null); }

create_databases() {
    local name statements
    statements="CREATE USER IF NOT EXISTS 'openstack'@'127.0.0.1' IDENTIFIED BY '$(secret database)';"
    for name in keystone glance placement nova_api nova nova_cell0 neutron; do
        # MariaDB can't take back a half-made table, so an interrupted schema_ can't be taken up again.
        [[ -e $DATA/done/schema-${name%%_*} ]] || statements+="DROP DATABASE IF EXISTS $name;"
        statements+="CREATE DATABASE IF NOT EXISTS $name CHARACTER SET utf8mb3; GRANT ALL ON $name.* TO 'openstack'@'127.0.0.1';"
    done
    sql "$statements" || die "can't create the databases, see $LOG/mariadb.log"
}
