package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"vitals/internal/golden"
	"vitals/internal/measure"
	"vitals/report"
)

func page(t *testing.T) string {
	t.Helper()
	d := document(t)
	d.Comparison = comparison(t)
	return string(render(t, report.HTML, d))
}

var (
	styles  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	scripts = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	block   = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)
)

// What stands around the vendored library and our own files is golden; they
// themselves would only make it long.
func TestHTML(t *testing.T) {
	text := page(t)
	text = styles.ReplaceAllString(text, "<style>…</style>")
	text = scripts.ReplaceAllString(text, "<script>…</script>")
	text = block.ReplaceAllString(text, "<script>data</script>")
	text = regexp.MustCompile(`(?s)(<svg [^>]*>).*?</svg>`).ReplaceAllString(text, "$1…</svg>")
	text = regexp.MustCompile(`'sha256-[^']*'`).ReplaceAllString(text, "'sha256-…'")
	golden.Check(t, []byte(text), "report.html")
}

// The page must work from a file, without a network, under its own policy.
func TestHTMLKeepsItsPolicy(t *testing.T) {
	text := page(t)
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(text)
	if policy == nil || !strings.HasPrefix(policy[1], "default-src 'none';") || strings.Contains(policy[1], "unsafe") {
		t.Fatalf("got policy %q", policy)
	}
	parts := append(styles.FindAllStringSubmatch(text, -1), scripts.FindAllStringSubmatch(text, -1)...)
	if len(parts) != 4 {
		t.Fatalf("got %d styles and scripts, want 4", len(parts))
	}
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p[1]))
		if !strings.Contains(policy[1], base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("the policy would block what begins with %.40q", p[1])
		}
	}
	markup := scripts.ReplaceAllString(styles.ReplaceAllString(text, ""), "")
	markup = strings.ReplaceAll(markup, ` href="#`, "") // a place on this page
	for _, bad := range []string{" src=", " href=", " style=", " onload=", "@import"} {
		if strings.Contains(markup, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if n := len(text); n > 200<<10 {
		t.Errorf("got %d kB for two short runs", n>>10)
	}
}

// Every panel's lines are as long as the clock, and every line has its figure.
func TestHTMLCharts(t *testing.T) {
	var runs []struct {
		Name   string
		X      []float64
		Phases []struct{ Name string }
		Panels []struct {
			Title, Unit string
			Limit       *float64
			Lines       []struct {
				Name   string
				Values []*float64
			}
		}
	}
	if err := json.Unmarshal([]byte(block.FindStringSubmatch(page(t))[1]), &runs); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range runs {
		fmt.Fprintf(&b, "%s: %d slices, %d phases\n", r.Name, len(r.X), len(r.Phases))
		for _, p := range r.Panels {
			fmt.Fprintf(&b, "  %s (%s)", p.Title, p.Unit)
			for _, l := range p.Lines {
				if len(l.Values) != len(r.X) {
					t.Errorf("%s, %s: got %d values for %d slices", p.Title, l.Name, len(l.Values), len(r.X))
				}
				fmt.Fprintf(&b, "; %s %g … %g", l.Name, *l.Values[0], *l.Values[len(l.Values)-1])
			}
			if p.Limit != nil {
				fmt.Fprintf(&b, "; limit %g", *p.Limit)
			}
			b.WriteString("\n")
		}
	}
	golden.Check(t, []byte(b.String()), "charts.txt")
}

// One null instead of a missing figure keeps the lists as long as each other.
func TestHTMLDataOfAnEmptyRun(t *testing.T) {
	d := document(t)
	d.Runs[0].Result.Series.Slices = nil
	text := string(render(t, report.HTML, d))
	var runs []struct {
		X      []float64
		Phases []struct{ Name string }
		Panels []struct{ Lines []struct{ Values []*float64 } }
	}
	if err := json.Unmarshal([]byte(block.FindStringSubmatch(text)[1]), &runs); err != nil {
		t.Fatal(err)
	}
	if len(runs[0].X) != 0 || len(runs[0].Panels) != 0 || len(runs[1].X) != len(runs[1].Panels[0].Lines[0].Values) || len(runs[1].Phases) != 2 {
		t.Errorf("got %+v", runs[0])
	}
}

// Ten hours second by second, of fifty steps, is still a page that a browser opens:
// no screen shows more points than are drawn.
func TestHTMLOfALongRun(t *testing.T) {
	began := time.Now()
	text := render(t, report.HTML, longRun(t))
	t.Logf("%d kB in %v", len(text)>>10, time.Since(began))
	if len(text) > 5<<20 {
		t.Errorf("got %d kB, want less than 5 MB", len(text)>>10)
	}
	if !strings.Contains(string(text), "highest 7s") {
		t.Error("the one slow second is gone")
	}
}

// BenchmarkHTMLOfALongRun is what that page costs: time, memory, size.
func BenchmarkHTMLOfALongRun(b *testing.B) {
	d := longRun(b)
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		var page bytes.Buffer
		if err := report.HTML(&page, d); err != nil {
			b.Fatal(err)
		}
		size = page.Len()
	}
	b.ReportMetric(float64(size)/(1<<20), "MB/page")
}

// longRun is ten hours second by second, of fifty steps and all gauges.
func longRun(t testing.TB) *report.Document {
	d, err := document(t).Only("peak")
	if err != nil {
		t.Fatal(err)
	}
	r := d.Runs[0].Result
	steps := r.Phases[1].Steps[:1]
	for i := range 50 {
		s := steps[0]
		s.Step.Name = fmt.Sprintf("step %d", i)
		r.Phases[1].Steps = append(r.Phases[1].Steps, s)
	}
	r.Series.Slices, r.Took = nil, 10*time.Hour
	for i := range 36_000 {
		s := measure.Slice{At: time.Duration(i) * time.Second, Counts: measure.Counts{Sent: 500, Served: 500}, P50: 9 * ms, P95: time.Duration(20+i%50) * ms, P99: 90 * ms, SentP95: 19 * ms, StepP95: map[string]int64{}, Gauges: map[string]float64{}}
		for g, name := range []string{"cpu", "rss_mib", "users", "request_ms", "request_redis_ms", "db_pool_acquire_ms", "redis_call_ms", "pg_connections", "pg_commits_per_second", "redis_commands_per_second", "go_goroutines"} {
			s.Gauges[name] = 1 + float64((i*(g+1))%97)
		}
		for n := range 50 {
			s.StepP95[fmt.Sprintf("step %d", n)] = int64(20_000 + (i*n)%9000)
		}
		r.Series.Slices = append(r.Series.Slices, s)
	}
	r.Series.Slices[17_000].P95 = 7 * time.Second
	return d
}
