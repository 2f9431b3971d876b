package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"vitals/internal/atomicfile"
	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/internal/stack"
	"vitals/internal/wire"
	"vitals/report"
	"vitals/targets"
)

// profilePath is where Go's own profiler answers.
const profilePath = "/debug/pprof/profile"

// The length of a CPU profile, and the shortest that says something.
const (
	profileTime  = 5 * time.Second
	leastProfile = 2 * time.Second
	profileGrace = 5 * time.Second // for the answer, when the load is over or the system slow
)

// profileHook takes one CPU profile of the system under test when a target is first
// being lost. Its price is declared: the run says that it was profiled. Such a run
// stays in the baseline all the same: only slow runs are profiled, and a baseline
// without them would hide what it is there to show.
type profileHook struct {
	quiet
	pages  []*url.URL
	why    string // there are none
	client *http.Client
	file   string // to keep it in
	end    time.Duration
	lost   chan string // the target; holds one

	raw   []byte
	taken *measure.CPUProfile
}

// newProfileHook is nil where nothing is profiled: where runs are compared with each
// other, a profile in some would be a difference that is ours, and of members of a
// fleet each would ask for its own.
func (ses *session) newProfileHook(scenario string, end time.Duration) *profileHook {
	if o := ses.p.o; o.Repeat > 1 || o.Window != nil || o.Once || ses.p.member != nil {
		return nil
	}
	h := &profileHook{client: &http.Client{Transport: wire.Pages(ses.p.tls), CheckRedirect: noRedirect}, file: filepath.Join(ses.p.o.Out, fileName(scenario)+".cpu.pprof"), end: end, lost: make(chan string, 1)}
	if h.pages = profilers(ses.st); ses.p.pprof != nil {
		h.pages = []*url.URL{ses.p.pprof}
	}
	if len(h.pages) == 0 {
		h.why = "name its profiler with --pprof URL, as in http://127.0.0.1:6060/debug/pprof/profile"
	}
	return h
}

// fileName is a scenario's name as that of a file, in its folder and on any system.
func fileName(scenario string) string {
	return strings.TrimLeft(odd.ReplaceAllString(scenario, "-"), ".-")
}

var odd = regexp.MustCompile(`[^\pL\pN._-]+`)

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// profilers are the pages of a stack of ours, on its admin listeners: a supervisor's
// own profile shows nothing, so each of its workers is asked.
func profilers(st *stack.Stack) (out []*url.URL) {
	workers := 1
	for _, s := range st.Settings {
		if n, err := strconv.Atoi(s.Value); s.Name == "WORKERS" && err == nil {
			workers = n
		}
	}
	for _, admin := range st.Admins {
		if workers == 1 {
			out = append(out, &url.URL{Scheme: admin.Scheme, Host: admin.Host, Path: profilePath})
			continue
		}
		for n := range workers {
			out = append(out, &url.URL{Scheme: admin.Scheme, Host: admin.Host, Path: fmt.Sprintf("/workers/%d%s", n+1, profilePath)})
		}
	}
	return out
}

// losing is told of targets that the last seconds missed.
func (h *profileHook) losing(vs []targets.Verdict) {
	if h == nil || len(vs) == 0 {
		return
	}
	select {
	case h.lost <- vs[0].Target.Text:
	default: // once is enough
	}
}

// During takes the profile when the time has come. A target that is lost too near to
// the end is answered by a shorter one.
func (h *profileHook) During(ctx context.Context, began time.Time) error {
	select {
	case <-ctx.Done():
		return nil
	case target := <-h.lost:
		at := time.Since(began)
		h.taken = &measure.CPUProfile{Target: target, At: measure.Micros(at)}
		length := min(profileTime, h.end-at).Truncate(time.Second)
		switch {
		case h.why != "":
			h.taken.None = h.why
		case length < leastProfile:
			h.taken.None = fmt.Sprintf("the run had less than %v left", leastProfile)
		default:
			h.take(ctx, length)
		}
	}
	return nil
}

func (h *profileHook) take(ctx context.Context, length time.Duration) {
	asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), length+2*profileGrace)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(profileGrace, cancel) })
	defer stop()
	p, raw, err := observe.ProfileCPU(asked, h.client, h.pages, length)
	h.client.CloseIdleConnections()
	if err != nil {
		h.taken.None = err.Error()
		return
	}
	p.Target, p.At = h.taken.Target, h.taken.At
	h.taken, h.raw = p, raw
}

// After puts the profile into the result and the whole of it beside the document.
func (h *profileHook) After(_ context.Context, run *report.Run) {
	if h.taken == nil {
		return
	}
	run.Result.CPUProfile = h.taken
	if h.raw == nil {
		return
	}
	err := atomicfile.Write(h.file, func(w io.Writer) error {
		_, err := w.Write(h.raw)
		return err
	})
	if err != nil {
		run.Result.Notes = append(run.Result.Notes, fmt.Sprintf("the CPU profile could not be kept: %v", err))
		return
	}
	h.taken.File = filepath.Base(h.file)
}
