package config

import (
	"strconv"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// The number of CPUs is the process's, not the host's, and the worker
// number that is printed is the one that is used (CF6).
func TestEffectiveCPUs(t *testing.T) {
	tests := map[string]struct {
		files    map[string]string
		affinity int
		want     Machine
	}{
		"no cgroup":        {nil, 8, Machine{CPUs: 8}},
		"taskset":          {nil, 1, Machine{CPUs: 1}},
		"v2 container":     {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 64, Machine{2, 512 << 20}},
		"v2 rounds up":     {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000"}, 64, Machine{CPUs: 2}},
		"v2 half a CPU":    {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000"}, 64, Machine{CPUs: 1}},
		"v2 unlimited":     {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000", "sys/fs/cgroup/memory.max": "max"}, 4, Machine{CPUs: 4}},
		"v2 slice above":   {map[string]string{"proc/self/cgroup": "0::/a.slice/b.service\n", "sys/fs/cgroup/a.slice/cpu.max": "300000 100000", "sys/fs/cgroup/a.slice/b.service/cpu.max": "max 100000"}, 8, Machine{CPUs: 3}},
		"v1":               {map[string]string{"proc/self/cgroup": "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000", "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824"}, 8, Machine{3, 1 << 30}},
		"v1 unlimited":     {map[string]string{"proc/self/cgroup": "4:memory:/\n3:cpu,cpuacct:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, 8, Machine{CPUs: 8}},
		"quota above host": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "1600000 100000"}, 4, Machine{CPUs: 4}},
		"nonsense":         {map[string]string{"proc/self/cgroup": "x\n0::/\n", "sys/fs/cgroup/cpu.max": "fast", "sys/fs/cgroup/memory.max": "-5"}, 4, Machine{CPUs: 4}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{}
			for file, text := range tt.files {
				root[file] = &fstest.MapFile{Data: []byte(text)}
			}
			if diff := cmp.Diff(tt.want, machine(root, tt.affinity)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
	if m := ThisMachine(); m.CPUs < 1 {
		t.Errorf("got %+v", m)
	}
}

func TestAutomaticNumbers(t *testing.T) {
	for cpus, want := range map[int]int{1: 2, 2: 3, 4: 7, 8: 15} {
		c, _, err := LoadOn(Machine{CPUs: cpus}, production("WORKERS=auto", "REDIS_URL=redis://h"))
		if err != nil {
			t.Fatal(err)
		}
		if c.Workers.Count != want || !c.Workers.Auto || line(c, "WORKERS").Value != strconv.Itoa(want) {
			t.Errorf("%d CPUs: got %+v, want %d workers", cpus, c.Workers, want)
		}
	}
	for _, tt := range []struct {
		cpus, workers, want int
	}{{1, 1, 1}, {2, 1, 1}, {8, 1, 7}, {8, 3, 2}, {4, 7, 1}} {
		c, _, err := LoadOn(Machine{CPUs: tt.cpus}, production("REDIS_URL=redis://h", "WORKERS="+strconv.Itoa(tt.workers)))
		if err != nil {
			t.Fatal(err)
		}
		if c.Hash.Concurrency != tt.want {
			t.Errorf("%d CPUs, %d workers: got %d hashes at once, want %d", tt.cpus, tt.workers, c.Hash.Concurrency, tt.want)
		}
	}
	if got := mustLoad(t, production("DB_POOL_SIZE=30", "DB_MAX_OVERFLOW=50")).HTTP.MaxInFlight; got != 640 {
		t.Errorf("got %d in flight, want 8 x 80", got)
	}
}
