#!/bin/sh
# Makes the cluster on first start from POSTGRES_USER, POSTGRES_PASSWORD and
# POSTGRES_DB, as the public image does, then runs the given command.
set -eu
user=${POSTGRES_USER:-postgres}
db=${POSTGRES_DB:-$user}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	: "${POSTGRES_PASSWORD:?POSTGRES_PASSWORD must be set}"
	umask 077
	printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/pw
	initdb -D "$PGDATA" -U "$user" --pwfile=/tmp/pw --auth-local=trust --auth-host=scram-sha-256 >/dev/null
	rm -f /tmp/pw
	echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
	pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -k /tmp" -w start >/dev/null
	[ "$db" = postgres ] || createdb -h /tmp -U "$user" "$db"
	pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
	echo "PostgreSQL init process complete; ready for start up."
fi
[ "${1:-}" = postgres ] && { shift; set -- postgres -c "listen_addresses=*" "$@"; }
exec "$@"
