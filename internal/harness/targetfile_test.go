package harness

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"vitals/report"
)

// A file of vegeta's targets is sent as it stands, at the rate that was asked for, to
// the system that it names.
func TestTargetFile(t *testing.T) {
	var mu sync.Mutex
	got := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			return // asked by every run
		}
		body, _ := io.ReadAll(r.Body) // what was read is compared below
		mu.Lock()
		defer mu.Unlock()
		got[fmt.Sprintf("%s %s %q %s %s", r.Method, r.URL, body, r.Host, r.Header.Get("X-Tag"))]++
	}))
	defer srv.Close()
	dir := t.TempDir()
	body, file := filepath.Join(dir, "body.json"), filepath.Join(dir, "shop.txt")
	text := fmt.Sprintf("GET %[1]s/goods?page=1\nX-Tag: a\n\nPOST %[1]s/goods\nContent-Type: application/json\nHost: shop.example\n@%[2]s\n", srv.URL, body)
	for name, text := range map[string]string{body: `{"name":"a"}`, file: text} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Read(Options{Scenarios: []string{file}, Rate: "100/s", For: "2s", Pace: "full", Targets: "none", Replicas: 1, Seed: 1, Out: filepath.Join(dir, "out"), Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Run(t.Context(), t.Context(), p, Streams{Out: io.Discard, Err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if d.Runs[0].Verdict == report.Fail {
		t.Errorf("got %s: %v", d.Runs[0].Verdict, d.Runs[0].Result.Failures)
	}
	host := strings.TrimPrefix(srv.URL, "http://")
	get, post := got[fmt.Sprintf(`GET /goods?page=1 "" %s a`, host)], got[`POST /goods "{\"name\":\"a\"}" shop.example `]
	if get < 50 || post < 50 || get+post != 200 || len(got) != 2 {
		t.Errorf("got %v, want both requests, about a hundred times each", got)
	}
}

// A load is said for target files, and for nothing else.
func TestTargetFileFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.txt")
	if err := os.WriteFile(file, []byte("GET http://127.0.0.1:1/goods\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Scenarios: []string{file}}, "add --rate 50/s --for 10s"},
		{Options{Scenarios: []string{file}, Rate: "5/s", For: "1s", Stack: "embedded"}, "leave --stack out"},
		{Options{Scenarios: []string{"normal"}, Rate: "5/s"}, "--rate and --for are for vegeta's target files"},
	} {
		c.o.Pace, c.o.Targets, c.o.Replicas, c.o.ReadOnly = "full", "none", 1, true
		if _, err := Read(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.o.Scenarios, err, c.want)
		}
	}
}

// full is standard output without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// A report that cannot be printed is said so, and changes no verdict: the document and
// the exit code say the same.
func TestUnprintableReportKeepsTheVerdict(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "shop.txt")
	if err := os.WriteFile(file, []byte("GET "+srv.URL+"/goods\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Read(Options{Scenarios: []string{file}, Rate: "20/s", For: "1s", Pace: "full", Targets: "none", Replicas: 1, Seed: 1, Out: filepath.Join(dir, "out"), Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	d, err := Run(t.Context(), t.Context(), p, Streams{Out: full{}, Err: &told})
	if err != nil || d == nil {
		t.Fatalf("got %v, want the verdict that the document has", err)
	}
	if kept, err := report.Read(filepath.Join(dir, "out", "document.json")); err != nil || kept.Exit != d.Exit {
		t.Errorf("the document says %+v (%v), the run ends with %d", kept, err, d.Exit)
	}
	if !strings.Contains(told.String(), "print the report: no space left on device") {
		t.Errorf("got %q, want it told", told.String())
	}
}
