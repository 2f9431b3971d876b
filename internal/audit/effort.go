package audit

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// effort is the processor time that went by in a stretch, and whose it was. All
// zero where the kernel does not tell.
type effort struct{ machine, idle, api, own time.Duration }

// efforts measures f.
func efforts(api *API, f func()) effort {
	before := effortSoFar(api)
	f()
	after := effortSoFar(api)
	return effort{after.machine - before.machine, after.idle - before.idle, after.api - before.api, after.own - before.own}
}

func (e effort) plus(o effort) effort {
	return effort{e.machine + o.machine, e.idle + o.idle, e.api + o.api, e.own + o.own}
}

// foreign is the share of the machine that neither the API nor this driver had.
func (e effort) foreign() float64 {
	if e.machine <= 0 {
		return 0
	}
	return max(0, float64(e.machine-e.idle-e.api-e.own)/float64(e.machine))
}

const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux

func effortSoFar(api *API) (e effort) {
	stat, _ := os.ReadFile("/proc/stat") // elsewhere than on Linux there is none
	line, _, _ := strings.Cut(string(stat), "\n")
	for i, f := range strings.Fields(line) {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil || i > 8 { // the name; guests, who are counted before as well
			continue
		}
		e.machine += time.Duration(n) * tick
		if i == 4 || i == 5 { // idle, and idle for a disk
			e.idle += time.Duration(n) * tick
		}
	}
	e.api, e.own = spent(api.PIDs()...), spent(os.Getpid())
	return e
}

// spent is the processor time of processes, user and system.
func spent(pids ...int) (total time.Duration) {
	for _, pid := range pids {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		// After the name in brackets: the state is the first field, utime the 12th.
		if f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])); len(f) > 12 {
			for _, text := range f[11:13] {
				n, _ := strconv.ParseInt(text, 10, 64) // the kernel's own number
				total += time.Duration(n) * tick
			}
		}
	}
	return total
}

// rss is the memory of all API processes in bytes; 0 where it cannot be read.
func rss(api *API) int64 {
	total := int64(0)
	for _, pid := range api.PIDs() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0
		}
		_, after, _ := strings.Cut(string(b), "VmRSS:")
		if f := strings.Fields(after); len(f) > 0 {
			kb, _ := strconv.ParseInt(f[0], 10, 64) // the kernel's own number
			total += kb << 10
		}
	}
	return total
}
