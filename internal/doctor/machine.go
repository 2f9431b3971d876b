package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/process"

	"vitals/internal/stack"
)

// load is what the processor was seen to do.
type load struct {
	cores int
	quota float64 // cores that a container may use; 0 = no bound is known
	busy  float64 // share of all cores, 0 to 1; below 0 when unknown
	tasks []task  // the busiest first
}

// task is a process and the share of one core that it used.
type task struct {
	name  string
	pid   int32
	cores float64
}

// Bounds: a run of the built-in scenarios keeps about half a core busy for the
// generator and the rest for the API.
const (
	busyBound = 0.15
	taskBound = 0.05
)

// watch watches the processor for a while.
func watch(ctx context.Context, d time.Duration) load {
	l := load{cores: runtime.NumCPU(), quota: quota(), busy: -1}
	before := spent(ctx)
	if share, err := cpu.PercentWithContext(ctx, d, false); err == nil && len(share) == 1 {
		l.busy = share[0] / 100
	}
	for pid, now := range spent(ctx) {
		used := (now.cpu - before[pid].cpu) / d.Seconds()
		if _, known := before[pid]; known && used >= taskBound && pid != int32(os.Getpid()) {
			l.tasks = append(l.tasks, task{now.name, pid, used})
		}
	}
	slices.SortFunc(l.tasks, func(a, b task) int { return cmp.Compare(b.cores, a.cores) })
	l.tasks = l.tasks[:min(3, len(l.tasks))]
	return l
}

// usage is a process's name and the seconds of processor time it has used.
type usage struct {
	name string
	cpu  float64
}

// spent are all processes that can be seen.
func spent(ctx context.Context) map[int32]usage {
	out := map[int32]usage{}
	all, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return out
	}
	for _, p := range all {
		t, err := p.TimesWithContext(ctx)
		if err != nil {
			continue // it has ended
		}
		name, _ := p.NameWithContext(ctx) // as above
		out[p.Pid] = usage{name, t.User + t.System}
	}
	return out
}

// quota is the bound that cgroup v2 sets to this container, in cores.
func quota() float64 {
	b, err := os.ReadFile("/sys/fs/cgroup/cpu.max") // "max 100000" or "150000 100000"
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) != 2 {
		return 0
	}
	used, err1 := strconv.ParseFloat(fields[0], 64)
	period, err2 := strconv.ParseFloat(fields[1], 64)
	if err1 != nil || err2 != nil || period == 0 {
		return 0
	}
	return used / period
}

func processor(l load) Finding {
	f := Finding{Status: OK, What: "processor", Found: fmt.Sprintf("%d cores", l.cores)}
	cores := float64(l.cores)
	if l.quota > 0 && l.quota < cores {
		cores = l.quota
		f.Found += fmt.Sprintf(", of which this container may use %.1f", l.quota)
	}
	if l.busy >= 0 {
		f.Found += fmt.Sprintf(", %.0f %% busy", 100*l.busy)
	}
	for i, t := range l.tasks {
		if i == 0 {
			f.Found += ":"
		} else {
			f.Found += ","
		}
		f.Found += fmt.Sprintf(" %s (%d) %.0f %% of a core", t.name, t.pid, 100*t.cores)
	}
	switch {
	case l.busy > busyBound:
		f.Status, f.Do = Note, "end what else is running before you measure: a busy machine makes runs INVALID, or slow for its own reasons"
	case cores < 2:
		f.Status, f.Do = Note, "the load and the API share less than two cores: use --url against another machine, or ask less"
	}
	return f
}

// ticks are by how much sleeps of a millisecond were too long.
func ticks(ctx context.Context) []time.Duration {
	var late []time.Duration
	for range 100 {
		if ctx.Err() != nil {
			break
		}
		began := time.Now()
		time.Sleep(time.Millisecond)
		late = append(late, time.Since(began)-time.Millisecond)
	}
	return late
}

// clockSource is what Linux reads the time from, "" elsewhere.
func clockSource() string {
	b, err := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// lateBound is how late a waking may be: the sender's own bound on lateness is of
// this size, and what the machine adds is not the API's.
const lateBound = 5 * time.Millisecond

func clock(late []time.Duration, source string) Finding {
	f := Finding{Status: OK, What: "clock", Found: "not looked at"}
	if len(late) > 0 {
		slices.Sort(late)
		p95 := late[len(late)*95/100]
		f.Found = fmt.Sprintf("sleeps end %v late (p95 of %d)", p95.Round(10*time.Microsecond), len(late))
		if p95 > lateBound {
			f.Status, f.Do = Note, "requests would be sent late: end what else is running, or use a machine of your own"
		}
	}
	if source != "" {
		f.Found += ", source " + source
	}
	if source == "hpet" || source == "acpi_pm" {
		f.Status, f.Do = Note, "reading the time from "+source+" is slow: switch the clock source to tsc or kvm-clock"
	}
	return f
}

// Descriptors: the stress scenario has 2000 users, each with a connection.
const (
	descriptorsNeeded = 4096
	descriptorsLeast  = 1024
)

func descriptors(limit uint64, err error) Finding {
	f := Finding{Status: OK, What: "descriptors", Found: fmt.Sprintf("%d per process", limit)}
	switch {
	case err != nil:
		f.Status, f.Found = Note, "the limit is not known: "+err.Error()
	case limit < descriptorsLeast:
		f.Status = Missing
		f.Do = fmt.Sprintf("ulimit -n %d (each user holds a connection; stress has 2000 users)", descriptorsNeeded)
	case limit < descriptorsNeeded:
		f.Status = Note
		f.Do = fmt.Sprintf("for stress: ulimit -n %d", descriptorsNeeded)
	}
	return f
}

// portRange is the range of ports that connections leave from; 0, 0 when unknown.
func portRange() (low, high int) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0, 0
	}
	if _, err := fmt.Sscan(string(b), &low, &high); err != nil {
		return 0, 0
	}
	return low, high
}

// portsNeeded is for users whose connections are closed and opened again, with
// those that wait out TIME_WAIT.
const portsNeeded = 10_000

func ports(low, high int) Finding {
	if high == 0 {
		return Finding{Status: OK, What: "ports", Found: "the range for connections is the system's own"}
	}
	f := Finding{Status: OK, What: "ports", Found: fmt.Sprintf("%d for connections (%d to %d)", high-low+1, low, high)}
	if high-low+1 < portsNeeded {
		f.Status, f.Do = Note, `with many short connections to one address they run out: sysctl -w net.ipv4.ip_local_port_range="32768 60999"`
	}
	return f
}

// sourceError tries to listen on and send from an address of a user's own.
func sourceError() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: stack.Loopback(1).AsSlice()}, Timeout: time.Second}
	conn, err := d.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	return conn.Close()
}

func sources(err error) Finding {
	f := Finding{Status: OK, What: "addresses", Found: "each user can have a source address in 127.0.0.0/8"}
	if err != nil {
		f.Status, f.Found = Missing, "no user can have a source address of its own: "+err.Error()
		f.Do = "the embedded stack and the lockout's figures need 127.0.0.0/8 on the loopback interface (Linux has it); use --stack containers, or --url with --forwarded"
	}
	return f
}

// available is the memory that could be used, in bytes; 0 when unknown.
func available(ctx context.Context) uint64 {
	v, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return 0
	}
	return v.Available
}

const memoryNeeded = 1 << 30

func memory(free uint64) Finding {
	f := Finding{Status: OK, What: "memory", Found: fmt.Sprintf("%d MiB available", free>>20)}
	switch {
	case free == 0:
		f.Status, f.Found = Note, "what is available is not known"
	case free < memoryNeeded:
		f.Status, f.Do = Note, "stress with its 2000 users wants 1 GiB for the load, the API and its hashes"
	}
	return f
}

// memoryFolder is where the embedded database lives, "" where the system has none.
func memoryFolder() string {
	if info, err := os.Stat(stack.SharedMemory); err != nil || !info.IsDir() {
		return ""
	}
	return stack.SharedMemory
}

// space is what a folder has room for; an error when it cannot be written to.
type space struct {
	free uint64
	err  error
}

func freeSpace(ctx context.Context, dir string) space {
	f, err := os.CreateTemp(dir, "vitals-doctor-")
	if err != nil {
		return space{err: err}
	}
	_ = f.Close() // nothing was written
	if err := os.Remove(f.Name()); err != nil {
		return space{err: err}
	}
	u, err := disk.UsageWithContext(ctx, dir)
	if err != nil {
		return space{err: err}
	}
	return space{free: u.Free}
}

const spaceNeeded = 256 << 20

func folder(dir string, s space) Finding {
	f := Finding{Status: OK, What: "folder", Found: fmt.Sprintf("%s: %d MiB free", dir, s.free>>20)}
	memory := dir == stack.SharedMemory
	switch {
	case s.err != nil && memory:
		f.Status, f.Found, f.Do = Note, dir+": "+s.err.Error(), "the embedded database will live on the disk, whose speed is then part of the figures"
	case s.err != nil:
		f.Status, f.Found, f.Do = Missing, dir+": "+s.err.Error(), "make it writable, or name another folder with TMPDIR"
	case s.free < spaceNeeded && memory:
		f.Status, f.Do = Note, "the embedded database may not fit: mount it larger (docker run --shm-size=512m), or remove what is left in it"
	case s.free < spaceNeeded:
		f.Status, f.Do = Missing, "free 256 MiB there, or name another folder with TMPDIR"
	}
	return f
}
