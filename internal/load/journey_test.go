package load

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

var nowhereURL = &url.URL{Scheme: "http", Host: "127.0.0.1:1"}

// listen is a server that writes requests down and answers by path.
func listen(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) (base *url.URL, log func() []string) {
	t.Helper()
	var mu sync.Mutex
	var lines []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		_, _ = fmt.Fprint(&body, "")
		buf := make([]byte, 4096)
		for {
			n, err := r.Body.Read(buf)
			body.Write(buf[:n])
			if err != nil {
				break
			}
		}
		mu.Lock()
		lines = append(lines, fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body.String()))
		mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	base, _ = url.Parse(s.URL)
	return base, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return lines
	}
}

func single(l scenarios.Load, steps ...scenarios.Step) *scenarios.Scenario {
	return &scenarios.Scenario{Name: "single", Load: l, Quick: l, Journeys: []scenarios.Journey{{
		Name: "j", Think: scenarios.Range{From: time.Second, To: time.Second}, Tasks: []scenarios.Task{{Name: "t", Steps: steps}},
	}}}
}

// one turn of one user: the next would come after a second of thinking.
func turn() scenarios.Load { return constant(scenarios.Users, 1, 400*time.Millisecond) }

func TestValuesTravelFromStepToStep(t *testing.T) {
	base, log := listen(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/made/7 & more")
		w.Header()["X-Request-ID"] = []string{"req-1"}
		_, _ = fmt.Fprint(w, `{"items":[{"id":"a\"b\n"},{"id":42}],"deep":{"x":[[1,2],[3,{"y":true}]]}}`)
	})
	base.Path = "/prefix/"
	sc := single(turn(),
		scenarios.Step{Name: "first", Path: "/first", Save: map[string]string{
			"quoted": "json:items.0.id", "number": "json:items.1.id", "deep": "json:deep.x.1.1.y", "where": "header:location", "part": `regexp:"id":(\d+)`,
		}},
		scenarios.Step{Name: "second", Method: "PUT", Path: "/second/{{where}}?q={{quoted}}", Header: map[string]string{"X-Where": "{{quoted}}"},
			Body: `{"q":"{{quoted}}","n":{{number}},"d":{{deep}},"p":{{part}}}`},
		scenarios.Step{Name: "third", Method: "POST", Path: "/third", Header: map[string]string{"Content-Type": "text/plain"}, Body: `{{quoted}}`},
	)
	_, steps := carry(t, sc, Options{Base: base})
	want := []string{
		"GET /prefix/first ",
		`PUT /prefix/second/%2Fmade%2F7%20%26%20more?q=a%22b%0A {"q":"a\"b\u000a","n":42,"d":true,"p":42}`,
		"POST /prefix/third a\"b\n",
	}
	if got := log(); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got requests\n%q, want\n%q", got, want)
	}
	for name, c := range steps {
		if c.Served != 1 {
			t.Errorf("%s: got %+v, want one served", name, c)
		}
	}
}

func TestExpectations(t *testing.T) {
	base, _ := listen(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/busy":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
		case "/limited":
			w.WriteHeader(429)
		case "/slow":
			time.Sleep(200 * time.Millisecond)
		case "/broken":
			w.WriteHeader(500)
		}
		w.Header().Set("X-Kind", "test")
		_, _ = fmt.Fprint(w, `{"state":"done","n":3,"list":[]}`)
	})
	for _, tt := range []struct {
		name    string
		step    scenarios.Step
		outcome measure.Outcome
		ok      bool
		class   measure.Class
	}{
		{"any 2xx", scenarios.Step{Path: "/"}, measure.Served, true, measure.None},
		{"status", scenarios.Step{Path: "/", Expect: scenarios.Expect{Status: []int{201, 204}}}, measure.Failed, false, measure.BadStatus},
		{"500", scenarios.Step{Path: "/broken"}, measure.Failed, false, measure.BadStatus},
		{"500 expected", scenarios.Step{Path: "/broken", Expect: scenarios.Expect{Status: []int{500}}}, measure.Served, true, measure.None},
		{"429", scenarios.Step{Path: "/limited"}, measure.Refused, false, measure.BadStatus},
		{"429 expected", scenarios.Step{Path: "/limited", Expect: scenarios.Expect{Status: []int{429}}}, measure.Refused, true, measure.None},
		{"503 with a time", scenarios.Step{Path: "/busy"}, measure.Refused, false, measure.BadStatus},
		{"200 where 429 was due", scenarios.Step{Path: "/", Expect: scenarios.Expect{Status: []int{429}}}, measure.Failed, false, measure.BadStatus},
		{"header", scenarios.Step{Path: "/", Expect: scenarios.Expect{Header: map[string]*string{"Date": nil}}}, measure.Served, true, measure.None},
		{"no header", scenarios.Step{Path: "/", Expect: scenarios.Expect{Header: map[string]*string{"X-None": nil}}}, measure.Failed, false, measure.BadCheck},
		{"json", scenarios.Step{Path: "/", Expect: scenarios.Expect{JSON: map[string]*string{"state": new("done"), "n": new("3"), "list": nil}}}, measure.Served, true, measure.None},
		{"other json", scenarios.Step{Path: "/", Expect: scenarios.Expect{JSON: map[string]*string{"state": new("open")}}}, measure.Failed, false, measure.BadCheck},
		{"body", scenarios.Step{Path: "/", Expect: scenarios.Expect{Body: "done"}}, measure.Served, true, measure.None},
		{"other body", scenarios.Step{Path: "/", Expect: scenarios.Expect{Body: "open"}}, measure.Failed, false, measure.BadCheck},
		{"nothing to save", scenarios.Step{Path: "/", Save: map[string]string{"x": "json:list.0.id"}}, measure.Failed, false, measure.BadCapture},
		{"timeout of its own", scenarios.Step{Path: "/slow", Timeout: 50 * time.Millisecond}, measure.Failed, false, measure.TimeoutAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.step.Name = "step"
			sc := single(turn(), tt.step, scenarios.Step{Name: "after", Path: "/"})
			rec := record(sc)
			if _, err := Run(t.Context(), sc, rec, Options{Base: base}); err != nil {
				t.Fatal(err)
			}
			f := rec.Finish()
			c := f.Phases[0].Steps[0].Counts
			want := measure.Counts{Planned: 1, Sent: 1, Bytes: c.Bytes, Late: c.Late}
			*map[measure.Outcome]*int64{measure.Served: &want.Served, measure.Refused: &want.Refused, measure.Failed: &want.Failed}[tt.outcome] = 1
			if !tt.ok {
				want.Errors = 1
			}
			if c != want {
				t.Errorf("got %+v, want %+v", c, want)
			}
			if classes := f.Phases[0].Steps[0].Classes; !tt.ok && classes[tt.class.String()] != 1 {
				t.Errorf("got classes %v, want %s", classes, tt.class)
			}
			if after := f.Phases[0].Steps[1].Counts.Sent; after == 1 != tt.ok {
				t.Errorf("got %d requests after it, want the task to go on only if all is well", after)
			}
		})
	}
}

func TestTasksAreDrawnByWeightAndNeed(t *testing.T) {
	c := newClinic(t, &clinic{})
	_, steps := carry(t, patients(constant(scenarios.Users, 5, 600*time.Millisecond), 2*time.Millisecond, 0), Options{Base: c.base, Accounts: accounts(5), Seed: 5})
	list, use := float64(steps["list"].Sent), float64(steps["use"].Sent)
	// "use" needs what "list" saves and uses it up; while it is there one draw in
	// three takes it. With list = 1, then 2:1 until used: lists per use are 1 + 2.
	if steps["use"].Errors != 0 || use < 8 || list/use < 1.8 || list/use > 5 {
		t.Errorf("got %v lists and %v uses, want about three to one and no use before a list", list, use)
	}
}

func TestFeeds(t *testing.T) {
	base, log := listen(t, func(http.ResponseWriter, *http.Request) {})
	l := constant(scenarios.Arrivals, 100, 60*time.Millisecond)
	sc := single(l, scenarios.Step{Name: "s", Path: "/{{name}}"})
	sc.Journeys[0].Feed = &scenarios.Feed{Order: "round", Column: []string{"name"}, Rows: []map[string]string{{"name": "x"}, {"name": "y"}}}
	sc.Load.Workers = 1
	carry(t, sc, Options{Base: base})
	if got, want := strings.Join(log(), ","), "GET /x ,GET /y ,GET /x ,GET /y ,GET /x ,GET /y "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What cannot be carried out is said before any load, all of it at once.
func TestMistakesAreFoundBeforeTheLoad(t *testing.T) {
	sc := patients(turn(), 0, 1)
	sc.File = "patients.yaml"
	sc.Journeys[0].Tasks[0].Steps[0].Path = "/{{open"
	sc.Journeys[0].Tasks[0].Steps[0].Line, sc.Journeys[0].Tasks[0].Steps[0].Col = 7, 3
	sc.Journeys[0].Tasks[1].Steps[0].Save = map[string]string{"x": "xpath://a"}
	sc.Journeys = append(sc.Journeys, scenarios.Journey{Name: "idle"})
	_, err := Run(t.Context(), sc, record(sc), Options{Base: nowhereURL})
	for _, part := range []string{"patients.yaml:7:3", "{{ without }}", `"xpath://a"`, "do not fit into the 1 requests", `"idle" has no task`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got error %v, want %s in it", err, part)
		}
	}
}

// Anonymous steps are sent without a token, but what they say of an account is that of
// somebody who has signed in.
func TestAnonymousStepsOfAnAccount(t *testing.T) {
	for name, c := range map[string]struct {
		step scenarios.Step
		feed *scenarios.Feed
		want string
	}{
		"email":    {step: scenarios.Step{Name: "a", Method: "GET", Path: "/a?u={{email}}", Anonymous: true}, want: "POST /login \"ann@x.example\", GET /a?u=ann%40x.example "},
		"saved":    {step: scenarios.Step{Name: "a", Method: "GET", Path: "/a?u={{sess}}", Anonymous: true}, want: "POST /login \"ann@x.example\", GET /a?u=s3 "},
		"nobody's": {step: scenarios.Step{Name: "a", Method: "GET", Path: "/a", Anonymous: true}, want: "GET /a "},
		"the feed's own": {
			step: scenarios.Step{Name: "a", Method: "GET", Path: "/a?u={{email}}", Anonymous: true},
			feed: &scenarios.Feed{Column: []string{"email"}, Rows: []map[string]string{{"email": "guest"}}}, want: "GET /a?u=guest ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			base, log := listen(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprint(w, `{"token":"t1","sess":"s3"}`)
			})
			sc := single(turn(), c.step)
			sc.Journeys[0].Feed = c.feed
			sc.Accounts = scenarios.Accounts{SignIn: scenarios.Step{
				Name: "sign in", Method: "POST", Path: "/login", Body: "{{email}}", Anonymous: true, Save: map[string]string{"token": "json:token", "sess": "json:sess"},
			}}
			if _, err := Run(t.Context(), sc, record(sc), Options{Base: base, Accounts: []Account{{"ann@x.example", "p"}}}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(log(), ", "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
