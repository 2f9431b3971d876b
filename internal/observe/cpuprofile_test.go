package observe_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"vitals/internal/observe"
)

// burnCycles takes processor time by itself, under a name to be found.
//
//go:noinline
func burnCycles(done <-chan struct{}) (n uint64) {
	for {
		for range 1 << 16 {
			n = n*2862933555777941757 + 3037000493
		}
		select {
		case <-done:
			return n
		default:
		}
	}
}

func profiler(t *testing.T, s *httptest.Server) *url.URL {
	t.Helper()
	u, err := url.Parse(s.URL + "/debug/pprof/profile")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// The function that burns the processor is named first, with its share, and the
// profile that is kept is one that go tool pprof reads.
func TestCPUProfileNamesTheBusyFunction(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(pprof.Profile))
	defer s.Close()
	done, ended := make(chan struct{}), make(chan uint64)
	go func() { ended <- burnCycles(done) }()
	p, raw, err := observe.ProfileCPU(t.Context(), s.Client(), []*url.URL{profiler(t, s)}, time.Second)
	close(done)
	<-ended
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Functions) == 0 || !strings.HasSuffix(p.Functions[0].Name, ".burnCycles") || p.Functions[0].Own < 0.5 || p.Functions[0].Whole < p.Functions[0].Own {
		t.Errorf("got %+v, want burnCycles first with most of the time", p.Functions)
	}
	if time.Duration(p.Took) < 900*time.Millisecond || p.CPU <= 0 {
		t.Errorf("got %v of processor time in %v", time.Duration(p.CPU), time.Duration(p.Took))
	}
	if back, err := profile.Parse(bytes.NewReader(raw)); err != nil || len(back.Sample) == 0 {
		t.Errorf("what is kept is no profile: %v", err)
	}
}

// written is a profile of stacks, the innermost function first, with their ns.
func written(t *testing.T, stacks map[string]int64) []byte {
	t.Helper()
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: 10_000_000, DurationNanos: 5e9,
	}
	at := map[string]*profile.Location{}
	for stack, ns := range stacks {
		s := &profile.Sample{Value: []int64{ns / p.Period, ns}}
		for name := range strings.SplitSeq(stack, " ") {
			if at[name] == nil {
				f := &profile.Function{ID: uint64(len(at) + 1), Name: name}
				at[name] = &profile.Location{ID: f.ID, Line: []profile.Line{{Function: f}}}
				p.Function, p.Location = append(p.Function, f), append(p.Location, at[name])
			}
			s.Location = append(s.Location, at[name])
		}
		p.Sample = append(p.Sample, s)
	}
	var out bytes.Buffer
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Processes are added up; a function that calls itself counts once; of those that are
// not kept it is known that none took more than Rest.
func TestCPUProfileAddsProcessesUp(t *testing.T) {
	each := []map[string]int64{
		{"hash sign_in serve": 40e7, "runtime.asyncPreempt hash sign_in serve": 20e7, "walk walk walk serve": 20e7},
		{"hash sign_in serve": 60e7},
	}
	for i := range 14 {
		each[1][fmt.Sprintf("small%02d serve", i)] = int64(i+1) * 1e7
	}
	var pages []*url.URL
	for _, stacks := range each {
		body := written(t, stacks)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
		defer s.Close()
		pages = append(pages, profiler(t, s))
	}
	p, _, err := observe.ProfileCPU(t.Context(), http.DefaultClient, pages, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	const total = 245e7
	if f := p.Functions[0]; f.Name != "hash" || f.Own != 120e7/total || f.Whole != f.Own {
		t.Errorf("got %+v first, want hash of both processes", f)
	}
	if f := p.Functions[1]; f.Name != "walk" || f.Own != 20e7/total || f.Whole != f.Own {
		t.Errorf("got %+v second, want walk counted once", f)
	}
	// hash, walk and the eight largest of the small ones; then those of the ten largest
	// with what they call that are not among them: serve and sign_in.
	if n := len(p.Functions); n != 12 || p.Rest != 6e7/total {
		t.Errorf("got %d functions and rest %v, want 12 and %v: %+v", n, p.Rest, 6e7/total, p.Functions)
	}
	if own, known := p.Share("small00"); known || own != p.Rest {
		t.Errorf("got %v, %v of one that is not kept", own, known)
	}
}

// An answer that is no profile is told as such, with the address and the reason.
func TestCPUProfileIsRefused(t *testing.T) {
	bomb := func() []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		zeros := make([]byte, 1<<20)
		for range 40 {
			_, _ = z.Write(zeros)
		}
		_ = z.Close()
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"not found": {http.NotFound, "/debug/pprof/profile: status 404, want 200"},
		"busy": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Go-Pprof", "1")
			http.Error(w, "cpu profiling already in use", 500)
		}, `status 500: "cpu profiling already in use"`},
		"a page": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "the answer is no profile"},
		"a bomb": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bomb()) }, "the answer is no profile: more than 32 MiB"},
		"idle":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(written(t, nil)) }, "it used no processor time"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(written(t, map[string]int64{"f": 1e7})[:20])
		}, "the answer is no profile"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.2:1/", http.StatusFound)
		}, "status 302, want 200"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(c.answer)
			defer s.Close()
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			_, _, err := observe.ProfileCPU(t.Context(), client, []*url.URL{profiler(t, s)}, time.Second)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
