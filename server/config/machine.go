package config

import (
	"io/fs"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// Machine is what the automatic numbers are made from.
type Machine struct {
	CPUs   int   // effective: min(CPUs by affinity, cgroup quota rounded up)
	Memory int64 // cgroup memory limit in bytes; 0 = none
}

// ThisMachine reads the process's own limits. Not the number of CPUs of
// the host, and not GOMAXPROCS, which never falls below 2.
func ThisMachine() Machine { return machine(os.DirFS("/"), runtime.NumCPU()) }

func machine(root fs.FS, affinity int) Machine {
	m := Machine{CPUs: max(1, affinity)}
	for controller, dirs := range cgroups(root) {
		for _, dir := range dirs {
			if quota, period := cpuQuota(root, dir); quota > 0 && period > 0 && controller != "memory" {
				m.CPUs = min(m.CPUs, int((quota+period-1)/period))
			}
			if limit := memoryLimit(root, dir); limit > 0 && controller != "cpu" && (m.Memory == 0 || limit < m.Memory) {
				m.Memory = limit
			}
		}
	}
	return m
}

// cgroups lists the folders that may bound this process, per controller ("" is
// v2's single tree): its own and all above it, for a limit on a parent holds
// too. In a container the path is often that of the host and absent here, and
// the tree's top is the container's own.
func cgroups(root fs.FS) map[string][]string {
	found := map[string][]string{}
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return found
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			top, ok := map[string]string{"": "sys/fs/cgroup", "cpu": "sys/fs/cgroup/cpu", "memory": "sys/fs/cgroup/memory"}[controller]
			if !ok {
				continue
			}
			for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
				found[controller] = append(found[controller], path.Join(top, dir))
				if dir == "/" {
					break
				}
			}
		}
	}
	return found
}

// cpuQuota is v2's cpu.max or v1's cfs pair, in microseconds; 0 = unlimited.
func cpuQuota(root fs.FS, dir string) (quota, period int64) {
	if text, err := fs.ReadFile(root, path.Join(dir, "cpu.max")); err == nil {
		if f := strings.Fields(string(text)); len(f) == 2 {
			return number(f[0]), number(f[1])
		}
		return 0, 0
	}
	return readNumber(root, path.Join(dir, "cpu.cfs_quota_us")), readNumber(root, path.Join(dir, "cpu.cfs_period_us"))
}

// memoryLimit is v2's memory.max or v1's limit; v1 writes "none" as a number
// near 2^63.
func memoryLimit(root fs.FS, dir string) int64 {
	limit := readNumber(root, path.Join(dir, "memory.max"))
	if limit == 0 {
		limit = readNumber(root, path.Join(dir, "memory.limit_in_bytes"))
	}
	if limit >= 1<<60 {
		return 0
	}
	return limit
}

func readNumber(root fs.FS, name string) int64 {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0
	}
	return number(strings.TrimSpace(string(text)))
}

// number reads a positive count; "max", -1 and nonsense are 0, no limit.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// AutoWorkers is WORKERS=auto: max(2, 2·cpus−1), so 1→2, 2→3, 4→7, 8→15.
func AutoWorkers(cpus int) int { return max(2, 2*cpus-1) }
