#!/bin/sh
# inside.sh TEST ARGUMENTS…: the first process of the namespaces that run.sh makes.
# What containers leave in the places that are wired into the programs is in memory,
# and gone with the namespace.
set -eu
for place in /run /var/lib /var/log; do mount -t tmpfs none "$place"; done
for controller in /sys/fs/cgroup/*/; do
  mkdir -p "$controller/$E2E_K8S_CGROUP" 2>/dev/null || true
done
ip link set lo up
# An address of its own: else it is the lowest of its ports', and changes when a pod
# goes, whereupon the others cannot reach it until they ask again.
ip link add cni0 address 0a:58:0a:58:00:01 type bridge
ip addr add 10.88.0.1/24 dev cni0
ip link set cni0 up
test=$1
shift
cd "$E2E_K8S_DIR"
"$test" "$@" # not exec: a shell as the first process takes orphans in
