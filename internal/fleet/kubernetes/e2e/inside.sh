#!/bin/sh
# inside.sh TEST ARGUMENTS…: the first process of the namespaces that run.sh makes.
# What containers leave in the places that are wired into the programs is in memory,
# and gone with the namespace.
set -eu
for place in /run /var/lib /var/log; do mount -t tmpfs none "$place"; done
for controller in /sys/fs/cgroup/*/; do
  mkdir -p "$controller/$E2E_K8S_CGROUP" 2>/dev/null || true
done
# Four members of one whole processor each want a machine of more: the node counts
# eight where there are fewer, and the members share what there is.
if [ "$(nproc)" -lt 8 ]; then
  mount -t tmpfs none /sys/devices/system/node
  mount -t tmpfs none /sys/devices/system/cpu
  for i in 0 1 2 3 4 5 6 7; do
    mkdir -p "/sys/devices/system/cpu/cpu$i/topology"
    echo $i >"/sys/devices/system/cpu/cpu$i/topology/core_id"
    echo 0 >"/sys/devices/system/cpu/cpu$i/topology/physical_package_id"
  done
  echo 0-7 | tee /sys/devices/system/cpu/online /sys/devices/system/cpu/possible >/sys/devices/system/cpu/present
fi
ip link set lo up
ip link add cni0 type bridge
ip addr add 10.88.0.1/24 dev cni0
ip link set cni0 up
test=$1
shift
cd "$E2E_K8S_DIR"
"$test" "$@" # not exec: a shell as the first process takes orphans in
