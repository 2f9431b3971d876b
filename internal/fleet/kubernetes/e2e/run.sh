#!/bin/sh
# run.sh BINARIES: vitals fleet on a real Kubernetes of this machine, from the top of
# the repository, after make build. Everything runs in process, mount and network
# namespaces of its own, so that all of it ends with the first process there; what
# the kernel does not take away (a folder, cgroups, kernel settings) is put back here.
set -eu
bin=$1
here=internal/fleet/kubernetes/e2e

lacks=
lack() { lacks="$lacks\n  $1"; }
[ "$(uname -s)" = Linux ] || lack "Linux: this is $(uname -s)"
[ "$(id -u)" = 0 ] || lack "root: namespaces, containers and cgroups are made"
[ -d /sys/fs/cgroup/cpu ] || lack "cgroup v1, or one hierarchy per controller: /sys/fs/cgroup/cpu is not there"
PATH=$PATH:/usr/sbin:/sbin
for need in etcd:etcd-server containerd:containerd ctr:containerd runc:runc redis-server:redis-server ip:iproute2 unshare:util-linux docker:docker.io; do
  command -v "${need%:*}" >/dev/null || lack "${need%:*}: apt-get install ${need#*:}"
done
[ -x /usr/lib/cni/bridge ] || lack "/usr/lib/cni/bridge: apt-get install containernetworking-plugins"
docker version >/dev/null 2>&1 || lack "a Docker daemon, to build the image"
if [ -n "$lacks" ]; then
  {
    echo "=========================================================================="
    printf "SKIPPED: vitals fleet was NOT run on a real Kubernetes. This machine lacks:$lacks\n"
    echo "=========================================================================="
  } >&2
  exit 0
fi

go=${GO:-go}
for tool in kube-apiserver kube-controller-manager kube-scheduler kubelet; do
  [ -x "$bin/$tool" ] && continue
  echo "building $tool into $bin: about 20 minutes of one processor for all, once" >&2
  mkdir -p "$bin"
  CGO_ENABLED=0 $go -C internal/fleet/kubernetes/validation build -trimpath -ldflags "-s -w" -o "$bin/" "k8s.io/kubernetes/cmd/$tool"
done

dir=$(mktemp -d /tmp/vitals-e2e.XXXXXX)
name=${dir##*/}
inner=
# The kubelet sets these for the whole machine.
tuned="vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes"
for key in $tuned; do cat "/proc/sys/$key"; done >"$dir/tuned"
clean() {
  trap '' INT TERM HUP
  if [ -n "$inner" ]; then
    kill -KILL "$inner" 2>/dev/null || true # and with it, all that it holds
    wait "$inner" 2>/dev/null || true
  fi
  for try in 1 2 3 4 5 6 7 8 9 10; do # a process takes a moment to leave its cgroup
    find /sys/fs/cgroup -depth -type d -path "*/$name*" -exec rmdir {} + 2>/dev/null || true
    [ -z "$(find /sys/fs/cgroup -maxdepth 2 -name "$name*" | head -1)" ] && break
    sleep 1
  done
  for key in $tuned; do
    read -r value <&3
    [ "$(cat "/proc/sys/$key")" = "$value" ] || echo "$value" >"/proc/sys/$key" || true
  done 3<"$dir/tuned"
  rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

mkdir "$dir/pause"
CGO_ENABLED=0 $go build -trimpath -ldflags "-s -w" -o "$dir/pause/pause" ./$here/pause
printf 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n' >"$dir/pause/Dockerfile"
docker build -q -t vitals/pause:e2e "$dir/pause" >/dev/null
docker build -q -t vitals/vitals:e2e . >/dev/null
docker save -o "$dir/images.tar" vitals/pause:e2e vitals/vitals:e2e
$go test -c -o "$dir/e2e.test" ./$here

export E2E_K8S_BIN="$bin" E2E_K8S_DIR="$dir" E2E_K8S_VITALS="$PWD/bin/vitals" E2E_K8S_CGROUP="$name"
unshare --mount --propagation private --net --pid --fork --kill-child --mount-proc \
  sh "$here/inside.sh" "$dir/e2e.test" -test.v -test.timeout 20m -test.run "${RUN:-.}" &
inner=$!
code=0
wait "$inner" || code=$?
inner=
exit $code
