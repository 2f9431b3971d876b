#!/bin/sh
# Builds the stand-in images vitals/postgres:15 and vitals/redis:7 from Debian
# packages, for machines that reach a Debian mirror but no container registry.
# Where the public images can be pulled, none of this is needed.
#
# Needs root (debootstrap), Docker, about a minute and 400 MB. The engine keeps
# the images: a second call returns at once. FORCE=1 builds them anew.
set -eu
cd "$(dirname "$0")"

need() { command -v "$1" >/dev/null 2>&1 || { echo "images: $1 is missing: $2" >&2; exit 1; }; }
need docker "install Docker Engine (Debian: docker.io)"
docker info >/dev/null 2>&1 || { echo "images: no Docker Engine answers; start dockerd, then try again" >&2; exit 1; }

have() { docker image inspect "$1" >/dev/null 2>&1; }
if [ "${FORCE:-}" = "" ] && have vitals/postgres:15 && have vitals/redis:7; then
	echo "images: vitals/postgres:15 and vitals/redis:7 are there"
	exit 0
fi
need debootstrap "apt-get install debootstrap"
[ "$(id -u)" = 0 ] || { echo "images: debootstrap needs root" >&2; exit 1; }

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT INT TERM
echo "images: bootstrapping Debian bookworm (about a minute)"
# The machine's own mirror is used where it names one.
mirror=$(sed -n -E 's/^(deb|URIs:)[[:space:]]+(\[[^]]*\][[:space:]]+)?(https?:[^[:space:]]+).*/\3/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -n 1)
debootstrap --variant=minbase --include=postgresql-15,redis-server,redis-tools bookworm \
	"$root/fs" ${mirror:+"$mirror"} >"$root/log" 2>&1 || { tail -n 20 "$root/log" >&2; exit 1; }
rm -rf "$root/fs/var/cache/apt" "$root/fs/var/lib/apt/lists" "$root/fs/usr/share/doc" "$root/fs/var/lib/postgresql/15"
tar -C "$root/fs" -c . | docker import - vitals/debian:bookworm >/dev/null
docker build -q -t vitals/postgres:15 -f postgres.Dockerfile . >/dev/null
docker build -q -t vitals/redis:7 -f redis.Dockerfile . >/dev/null
echo "images: built vitals/postgres:15 and vitals/redis:7"
