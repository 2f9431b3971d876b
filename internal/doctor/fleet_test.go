package doctor

import (
	"net"
	"testing"
	"time"

	"vitals/internal/fleet/rendezvous"
	"vitals/internal/fleet/rendezvous/redistest"
)

// statuses are the findings by what was looked at.
func statuses(fs []Finding) map[string]Status {
	out := map[string]Status{}
	for _, f := range fs {
		out[f.What] = f.Status
	}
	return out
}

// A Redis of the run's own is well; one that drops keys, or is an application's,
// is not.
func TestExamineFleet(t *testing.T) {
	s := redistest.Start(t)
	got := statuses(ExamineFleet(t.Context(), FleetOptions{File: s.File, System: "http://10.0.0.5:8000", Image: "example.org/vitals@sha256:abc", Members: 4}))
	for _, what := range []string{"rendezvous", "its own", "way", "eviction", "memory", "clock", "image"} {
		if got[what] != OK {
			t.Errorf("%s: got %q, want ok", what, got[what])
		}
	}
	got = statuses(ExamineFleet(t.Context(), FleetOptions{File: s.File, System: "http://127.0.0.1:8000", Image: "vitals:latest"}))
	if got["its own"] != Note || got["image"] != Note {
		t.Errorf("beside the system, and by a tag: got %v", got)
	}
	bad := redistest.Start(t, "--maxmemory", "20mb", "--maxmemory-policy", "allkeys-lru")
	c, err := net.Dial("tcp", bad.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("SET session:anna 1\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	fs := ExamineFleet(t.Context(), FleetOptions{File: bad.File, Members: 50})
	got = statuses(fs)
	if got["its own"] != Missing || got["eviction"] != Missing || got["memory"] != Note || Well(fs) {
		t.Errorf("an application's Redis: got %v", fs)
	}
	for _, f := range fs {
		if f.What == "its own" && f.Found != "1 keys, some of them another's (session…)" {
			t.Errorf("got %q: no more of a key than its kind", f.Found)
		}
	}
	for _, url := range []string{"redis://127.0.0.1:1", "http://x", ""} {
		if fs := ExamineFleet(t.Context(), FleetOptions{File: redistest.URLFile(t, url)}); Well(fs) {
			t.Errorf("%q: got %v, want it missing", url, fs)
		}
	}
}

// A clock that is known too loosely keeps members from starting, and so does a
// Redis without streams.
func TestFleetFindings(t *testing.T) {
	if f := commonClock(rendezvous.Inspection{Bound: 60 * time.Millisecond}); f.Status != Missing {
		t.Errorf("got %v", f)
	}
	if f := version(rendezvous.Inspection{Version: "4.0.14"}); f.Status != Missing {
		t.Errorf("got %v", f)
	}
	if f := way("redis://meeting.example.org:6379"); f.Status != Note {
		t.Errorf("got %v", f)
	}
}
