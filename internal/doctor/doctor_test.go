package doctor

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"vitals/internal/stack"
	"vitals/internal/stack/containers"
)

func TestFindings(t *testing.T) {
	late := func(d time.Duration) []time.Duration { return []time.Duration{d, d, d} }
	found := containers.Found{Version: "27.1", Images: []containers.FoundImage{{Role: "postgres", Name: "postgres:15", There: true}, {Role: "redis", Name: "redis:7"}}}
	for _, c := range []struct {
		got    Finding
		status Status
		words  string // in what was found or is to be done
	}{
		{processor(load{cores: 8, busy: 0.01}), OK, "8 cores, 1 % busy"},
		{processor(load{cores: 8, busy: 0.5, tasks: []task{{"chrome", 7, 1.5}}}), Note, "chrome (7) 150 % of a core"},
		{processor(load{cores: 8, busy: -1}), OK, "8 cores"},
		{processor(load{cores: 8, quota: 1.5, busy: 0}), Note, "this container may use 1.5"},
		{processor(load{cores: 1, busy: 0}), Note, "less than two cores"},
		{clock(late(100*time.Microsecond), "tsc"), OK, "100µs late"},
		{clock(late(8*time.Millisecond), ""), Note, "sent late"},
		{clock(late(100*time.Microsecond), "hpet"), Note, "tsc or kvm-clock"},
		{clock(nil, ""), OK, "not looked at"},
		{descriptors(1<<20, nil), OK, "1048576"},
		{descriptors(2048, nil), Note, "ulimit -n 4096"},
		{descriptors(256, nil), Missing, "ulimit -n 4096"},
		{descriptors(0, errors.New("denied")), Note, "denied"},
		{ports(32768, 60999), OK, "28232"},
		{ports(60000, 60999), Note, "sysctl"},
		{ports(0, 0), OK, "the system's own"},
		{sources(nil), OK, "127.0.0.0/8"},
		{sources(errors.New("cannot assign")), Missing, "cannot assign"},
		{memory(8 << 30), OK, "8192 MiB"},
		{memory(512 << 20), Note, "1 GiB"},
		{memory(0), Note, "not known"},
		{folder("/tmp", space{free: 1 << 30}), OK, "/tmp: 1024 MiB"},
		{folder("/tmp", space{free: 1 << 20}), Missing, "TMPDIR"},
		{folder("/tmp", space{err: errors.New("read-only")}), Missing, "read-only"},
		{folder(stack.SharedMemory, space{free: 1 << 20}), Note, "--shm-size"},
		{folder(stack.SharedMemory, space{err: errors.New("read-only")}), Note, "on the disk"},
		{docker(true, found, nil)[0], OK, "Engine 27.1"},
		{docker(true, found, nil)[1], OK, "postgres:15"},
		{docker(true, found, nil)[2], Missing, "docker pull redis:7"},
		{docker(false, found, nil)[2], Note, "make images"},
		{docker(true, containers.Found{}, errors.New("no engine"))[0], Missing, "no engine"},
		{docker(false, containers.Found{}, errors.New("no engine"))[0], Note, "only --stack containers"},
	} {
		if words := c.got.Found + " " + c.got.Do; c.got.Status != c.status || !strings.Contains(words, c.words) {
			t.Errorf("%s: got %s %q, want %s with %q", c.got.What, c.got.Status, words, c.status, c.words)
		}
		if c.got.Status == OK && c.got.Do != "" || c.got.Status == Missing && c.got.Do == "" {
			t.Errorf("%s: %s, and what to do is %q", c.got.What, c.got.Status, c.got.Do)
		}
	}
}

// This machine is examined without an error, and each kind of thing is told.
func TestExamine(t *testing.T) {
	fs := Examine(context.Background(), Options{Stack: "embedded"})
	var b bytes.Buffer
	if err := Print(&b, fs); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"processor", "clock", "descriptors", "ports", "addresses", "memory", "folder", "docker", "program"} {
		if !strings.Contains(b.String(), what) {
			t.Errorf("nothing is told of %s:\n%s", what, b.String())
		}
	}
	if Well([]Finding{{Status: OK}, {Status: Missing}}) || !Well([]Finding{{Status: OK}, {Status: Note}}) {
		t.Error("a machine is well when nothing is missing, whatever the notes")
	}
}
