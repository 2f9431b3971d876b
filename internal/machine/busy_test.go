package machine

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The busiest programs are named with their shares, and processes of one name are
// one.
func TestBusy(t *testing.T) {
	now := time.Now()
	own := int32(os.Getpid())
	other := own + 1
	before := Load{at: now, procs: map[int32]used{own: {1, "vitals"}, other: {5, "postgres"}, other + 1: {0, "idle"}}}
	cores := float64(Read().Cores)
	after := Load{at: now.Add(10 * time.Second), procs: map[int32]used{
		own: {1 + 1*cores, "vitals"}, other: {5 + 3*cores, "postgres"}, other + 1: {0, "idle"}, other + 2: {2 * cores, "compile"}, other + 3: {2 * cores, "compile"},
	}}
	got, share := after.Busy(before)
	if want := "compile 40 %, postgres 30 % of"; !strings.Contains(got, want) || share < 0.699 || share > 0.701 {
		t.Errorf("got %q and %g, want %q in it and 0.7", got, share, want)
	}
	if got, _ := (Load{at: now.Add(time.Second)}).Busy(before); got != "" {
		t.Errorf("got %q of an idle machine", got)
	}
	// The kernel counts in hundredths of a second, and this process may have had none yet.
	l := ReadLoad(t.Context())
	for until := time.Now().Add(10 * time.Second); l.procs[own].seconds <= 0 && time.Now().Before(until); {
		l = ReadLoad(t.Context())
	}
	if l.procs[own].seconds <= 0 {
		t.Errorf("got %+v of this process, want its CPU time", l.procs[own])
	}
}
