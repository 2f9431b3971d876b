package machine

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

// Load is the CPU time that every process of the machine had used at one moment.
type Load struct {
	at    time.Time
	procs map[int32]used
}

type used struct {
	seconds float64
	name    string
}

// ReadLoad reads it. Processes that cannot be read, those outside a container
// among them, are left out.
func ReadLoad(ctx context.Context) Load {
	l := Load{at: time.Now(), procs: map[int32]used{}}
	ps, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return l
	}
	for _, p := range ps {
		t, err := p.TimesWithContext(ctx)
		if err != nil {
			continue
		}
		name, _ := p.NameWithContext(ctx) // "" when it has just ended
		l.procs[p.Pid] = used{t.User + t.System, name}
	}
	return l
}

// Busy names the programs that kept the machine busy since an earlier reading, the
// busiest first, and tells what share of its processors they took together (0 to 1);
// "" and 0 when there is none to name.
func (l Load) Busy(before Load) (words string, share float64) {
	whole := l.at.Sub(before.at).Seconds() * float64(runtime.NumCPU())
	if whole <= 0 {
		return "", 0
	}
	own := int32(os.Getpid())
	programs := map[string]float64{}
	for pid, u := range l.procs {
		share := (u.seconds - before.procs[pid].seconds) / whole // one that began meanwhile had used nothing
		if pid != own && share > 0 {
			programs[cmp.Or(u.name, "?")] += share
		}
	}
	names := make([]string, 0, len(programs))
	for name := range programs {
		if programs[name] >= 0.02 {
			names = append(names, name)
			share += programs[name]
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(programs[b], programs[a]), cmp.Compare(a, b))
	})
	if len(names) == 0 {
		return "", 0
	}
	list := make([]string, 0, 3)
	for _, name := range names[:min(3, len(names))] {
		list = append(list, fmt.Sprintf("%s %.0f %%", name, 100*programs[name]))
	}
	return fmt.Sprintf("busy beside this process: %s of %d cores", strings.Join(list, ", "), runtime.NumCPU()), share
}
