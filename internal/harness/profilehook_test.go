package harness

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"vitals/internal/baseline"
	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/report"
	"vitals/targets"
)

// burnForAnswer takes processor time by itself, under a name to be found.
//
//go:noinline
func burnForAnswer() (n uint64) {
	for began := time.Now(); time.Since(began) < 20*time.Millisecond; {
		for range 1 << 14 {
			n = n*2862933555777941757 + 3037000493
		}
	}
	return n
}

// When a target is being lost the API is profiled once, on its admin listener alone;
// the function that burns is named first, in the document, in the reports and in the
// baseline, and the profile lies beside them.
func TestProfiledWhenATargetIsLost(t *testing.T) { // alone: what other tests do would be in the profile
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/debug") {
			t.Errorf("the public listener was asked for %s", r.URL.Path)
		}
		fmt.Fprint(w, burnForAnswer())
	}))
	defer api.Close()
	asked := make(chan string, 10)
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		pprof.Profile(w, r)
	}))
	defer admin.Close()
	scenario := file(t, "mine.yaml", strings.Replace(reads("users: 2\nrun_for: 12s"), "get: /x", "get: /x, anonymous: true", 1))
	lost := file(t, "lost.yaml", "targets:\n  - p95 < 1ms\n")
	o := options(t, scenario, "--url", api.URL, "--targets", lost)
	o.Pprof = admin.URL
	r := carryOutWith(t, o)
	if r.doc == nil || len(r.doc.Runs) != 1 {
		t.Fatalf("exit %d\n%s", r.code, r.talk)
	}
	close(asked)
	if got := slices.Collect(func(yield func(string) bool) {
		for u := range asked {
			yield(u)
		}
	}); len(got) != 1 || !strings.HasPrefix(got[0], "/debug/pprof/profile?seconds=") {
		t.Errorf("asked the admin listener for %q, want one profile", got)
	}
	p := r.doc.Runs[0].Result.CPUProfile
	if p == nil || len(p.Functions) == 0 || !strings.HasSuffix(p.Functions[0].Name, ".burnForAnswer") || p.Target != "p95 < 1ms" {
		t.Fatalf("got %+v, want burnForAnswer first", p)
	}
	raw, err := os.Open(filepath.Join(o.Out, "mine.cpu.pprof"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := profile.Parse(raw); err != nil {
		t.Errorf("what lies beside the document is no profile: %v", err)
	}
	if !strings.Contains(strings.Join(strings.Fields(r.out), " "), "harness.burnForAnswer while p95 < 1ms was being lost (mine.cpu.pprof)") {
		t.Errorf("the end of the run does not name it:\n%s", r.out)
	}
	if f := Baseline(r.doc); f.Scenarios[0].Runs[0].Profile == nil || strings.Contains(f.Scenarios[0].Runs[0].Invalid, "profile") {
		t.Errorf("the baseline does not say that the run was profiled, or leaves it out for that: %+v", f.Scenarios[0].Runs[0])
	}
}

// hookOf is the hook of a plan's session, with what it knows of its stack.
func hookOf(o Options, st *stack.Stack, pprof *url.URL, end time.Duration) *profileHook {
	return (&session{p: &Plan{o: o, pprof: pprof}, st: st}).newProfileHook("mine", end)
}

// One line says why there is no profile.
func TestWhyThereIsNoProfile(t *testing.T) {
	t.Parallel()
	none := httptest.NewServer(http.NotFoundHandler())
	defer none.Close()
	page, err := url.Parse(none.URL + profilePath)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		pprof *url.URL
		end   time.Duration
		want  string
	}{
		"nobody to ask": {nil, time.Minute, "name its profiler with --pprof URL"},
		"too late":      {page, time.Second, "the run had less than 2s left"},
		"no profiler":   {page, time.Minute, "status 404, want 200"},
	} {
		t.Run(name, func(t *testing.T) {
			h := hookOf(Options{Out: t.TempDir()}, &stack.Stack{}, c.pprof, c.end)
			h.losing([]targets.Verdict{{Target: targets.Target{Text: "p95 < 1ms"}}})
			h.losing([]targets.Verdict{{Target: targets.Target{Text: "errors < 1%"}}})
			if err := h.During(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
			run := &report.Run{Result: &measure.Result{}}
			h.After(t.Context(), run)
			p := run.Result.CPUProfile
			if p == nil || !strings.Contains(p.None, c.want) || p.Target != "p95 < 1ms" {
				t.Fatalf("got %+v, want %q", p, c.want)
			}
			if f := baseline.From(baseline.About{}, []*measure.Result{run.Result}); f.Scenarios[0].Runs[0].Profile != nil {
				t.Error("a run that was not profiled is marked as one")
			}
		})
	}
}

// Runs that are compared with each other are not profiled, nor are a fleet's members.
func TestRunsThatAreNotProfiled(t *testing.T) {
	for name, ses := range map[string]*session{
		"repeated":   {p: &Plan{o: Options{Repeat: 2}}},
		"windowed":   {p: &Plan{o: Options{Window: &Window{Measure: time.Second}}}},
		"of a fleet": {p: &Plan{member: &member{}}},
	} {
		if ses.st = (&stack.Stack{}); ses.newProfileHook("mine", time.Minute) != nil {
			t.Errorf("%s: it would be profiled", name)
		}
	}
}

// A stack of ours is asked on its admin listeners, each worker of a supervisor by
// itself.
func TestProfilersOfAStack(t *testing.T) {
	st := &stack.Stack{Admins: []*url.URL{{Scheme: "http", Host: "127.0.0.1:9090", Path: "/metrics"}, {Scheme: "http", Host: "127.0.0.1:9091", Path: "/metrics"}}}
	check := func(want ...string) {
		t.Helper()
		var got []string
		for _, u := range profilers(st) {
			got = append(got, u.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check("http://127.0.0.1:9090/debug/pprof/profile", "http://127.0.0.1:9091/debug/pprof/profile")
	st.Admins, st.Settings = st.Admins[:1], []stack.Setting{{Name: "WORKERS", Value: "2"}}
	check("http://127.0.0.1:9090/workers/1/debug/pprof/profile", "http://127.0.0.1:9090/workers/2/debug/pprof/profile")
}

// What is left of a scenario lies in the folder that was named, whatever it is called.
func TestFilesStayInTheirFolder(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"normal": "normal", "../escaped": "escaped", "/etc/cron.d/x": "etc-cron.d-x", `..\..\evil name/with: colon`: "evil-name-with-colon", "größe 2": "größe-2", ".hidden": "hidden",
	} {
		if got := fileName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
