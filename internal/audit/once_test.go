package audit

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"vitals/internal/profile"
)

// A busy server that has no room for one of twenty breaks no promise; two successes do, and
// so does an answer that is neither.
func TestOneOfManySucceeds(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	at, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := &profile.Profile{Operations: map[string]profile.Operation{"refresh": {OK: 200, Refuse: 401}}}
	for name, c := range map[string]struct {
		got  map[int]int
		fail bool
		skip bool
	}{
		"one, the rest refused": {got: map[int]int{200: 1, 401: 19}},
		"one, and no room":      {got: map[int]int{200: 1, 401: 18, 503: 1}},
		"two":                   {got: map[int]int{200: 2, 401: 17, 503: 1}, fail: true},
		"none":                  {got: map[int]int{401: 20}, fail: true},
		"none, and no room":     {got: map[int]int{401: 19, 503: 1}, skip: true},
		"one, and a limit":      {got: map[int]int{200: 1, 401: 9, 429: 10}},
		"none, and a limit":     {got: map[int]int{429: 20}, skip: true},
		"two, and a limit":      {got: map[int]int{200: 2, 429: 18}, fail: true},
		"a crash":               {got: map[int]int{200: 1, 401: 18, 500: 1}, fail: true},
	} {
		probe := &T{trial: &trial{ctx: t.Context(), run: &runner{}}, target: &Target{Profile: p, URL: at}}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			var as []Answer
			for status, n := range c.got {
				for range n {
					a := Answer{}
					a.Status = status
					as = append(as, a)
				}
			}
			probe.succeedsOnce("refresh", as, "20 refreshes")
		}()
		<-ended
		if failed := len(probe.failures) > 0; failed != c.fail || (probe.skipped != "") != c.skip || c.skip && !strings.Contains(probe.skipped, "proves nothing") {
			t.Errorf("%s: got failures %v, skipped %q", name, probe.failures, probe.skipped)
		}
	}
}
