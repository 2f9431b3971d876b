package harness

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vitals/internal/exit"
	"vitals/internal/stack"
	"vitals/report"
)

// against runs smoke against a stack whose metrics page is shown as change makes it.
func against(t *testing.T, s *stack.Stack, change func(page string) string, beside func(talk *watched)) (code int, run report.Run, stdout string) {
	t.Helper()
	behind := *s.Metrics
	behind.Path = ""
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&behind)
		r.Out.Header.Set("Accept-Encoding", "identity")
	}}
	proxy.ModifyResponse = func(r *http.Response) error {
		page, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		page = []byte(change(string(page)))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(page)), int64(len(page))
		r.Header.Set("Content-Length", fmt.Sprint(len(page)))
		return nil
	}
	page := httptest.NewServer(proxy)
	t.Cleanup(page.Close)
	out := t.TempDir()
	o := options(t, "smoke", "--pace", "quick", "--url", s.URL.String(), "--metrics", page.URL+"/metrics", "--accounts", accountsFile(t, s.Accounts), "--out", out)
	o.Cores = 2
	p, err := Read(o)
	if err != nil {
		t.Fatal(err)
	}
	talk := &watched{want: "smoke 0:0", seen: make(chan struct{})}
	go beside(talk)
	r := carryOutTo(t, p, talk)
	if code = r.code; code == exit.Usage || code == exit.NoSystem {
		t.Fatalf("exit %d\n%s", code, talk.String())
	}
	return code, r.doc.Runs[0], r.out
}

func asItIs(page string) string { return page }
func alone(*watched)            {}

// The counts of a server that counts right agree to the last request, and its
// answers are judged.
func TestCountsAgree(t *testing.T) {
	t.Parallel()
	_, run, stdout := against(t, start(t), asItIs, alone)
	if b := run.Reconciliation; b == nil || b.Unread != "" || len(b.Findings) > 0 || b.Requests < 60 || b.Routes < 5 || len(b.Rows) < 6 {
		t.Errorf("got counts %+v, want them to agree on all requests", b)
	}
	if h := run.Invariants; h == nil || h.Broken() > 0 || h.Answers < 60 || h.Profile != "clinic" {
		t.Errorf("got invariants %+v, want it clean of many answers", h)
	}
	for _, want := range []string{"0 violations", "client and server agree on"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

// A server that counts the readings of its own metrics page among its requests is not
// used by somebody else: the readings are ours.
func TestReadingsOfThePageAreOurs(t *testing.T) {
	t.Parallel()
	var readings atomic.Int64
	_, run, _ := against(t, start(t), func(page string) string {
		return page + fmt.Sprintf("http_requests_total{method=\"GET\",route=\"/metrics\",status=\"200\"} %d\n", readings.Add(1))
	}, alone)
	if b := run.Reconciliation; b == nil || b.Unread != "" || len(b.Findings) > 0 || readings.Load() < 2 {
		t.Errorf("got counts %+v after %d readings, want them to agree", b, readings.Load())
	}
}

// A server that counts wrong, that somebody else uses, or that was restarted, was
// not measured.
func TestCountsThatDoNotAgree(t *testing.T) {
	t.Parallel()
	var readings sync.Map
	later := func(change func(string) string) func(string) string { // not in the first second
		return func(page string) string {
			first, _ := readings.LoadOrStore(&change, time.Now())
			if time.Since(first.(time.Time)) < 3*time.Second {
				return page
			}
			return change(page)
		}
	}
	count := regexp.MustCompile(`(?m)^(http_requests_total\{method="GET",route="/api/v1/medications",status="200"\}) (\d+)$`)
	began := regexp.MustCompile(`(?m)^process_start_time_seconds .*$`)
	for name, tt := range map[string]struct {
		change func(string) string
		beside func(*testing.T, *stack.Stack, *watched)
		want   string
	}{
		"counted twice": {change: func(p string) string { return count.ReplaceAllString(p, "$1 1$2") }, want: "GET /api/v1/medications 200: we counted"},
		"never counted": {change: func(p string) string { return count.ReplaceAllString(p, "$1 0") }, want: "GET /api/v1/medications 200: we counted"},
		"restarted":     {change: later(func(p string) string { return began.ReplaceAllString(p, "process_start_time_seconds 4e+09") }), want: "the system restarted mid-run"},
		"somebody else": {change: asItIs, want: "GET /api/v1/medications 401: we counted 0, the server 10: somebody else uses it", beside: func(t *testing.T, s *stack.Stack, talk *watched) {
			<-talk.seen
			for range 10 {
				resp, err := http.Get(s.URL.String() + "/api/v1/medications")
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			code, run, stdout := against(t, s, tt.change, func(talk *watched) {
				if tt.beside != nil {
					tt.beside(t, s, talk)
				}
			})
			if code != exit.NoAnswer || run.Verdict != report.Invalid {
				t.Errorf("got exit %d and %s, want %d and %s", code, run.Verdict, exit.NoAnswer, report.Invalid)
			}
			if b := run.Reconciliation; b == nil || len(b.Findings) != 1 || !strings.Contains(b.Findings[0], tt.want) {
				t.Errorf("got counts %+v, want one finding: %s", b, tt.want)
			}
			if !strings.Contains(stdout, "invalid: ") {
				t.Errorf("the report does not say why:\n%.600s", stdout)
			}
		})
	}
}

// A page of another make, or none, is no agreement.
func TestCountsUnread(t *testing.T) {
	t.Parallel()
	_, run, stdout := against(t, start(t), func(p string) string {
		return regexp.MustCompile(`http_(requests_total|in_flight)`).ReplaceAllString(p, "other_$1")
	}, alone)
	if b := run.Reconciliation; b == nil || !strings.Contains(b.Unread, "another make") || run.Verdict == report.Invalid && len(run.Result.Health.Late) == 0 {
		t.Errorf("got %+v and %s, want it unread, and no verdict for it", b, run.Verdict)
	}
	if !strings.Contains(stdout, "request counts not compared: ") {
		t.Errorf("the report does not say it:\n%.600s", stdout)
	}
}
