package scenarios_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vitals/internal/golden"
	"vitals/scenarios"
	"vitals/targets"
)

// Every file in testdata/bad is one mistake, or several, and the .want beside it
// what is said about them. A new file is a new case.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			sc, err := scenarios.Read(f, file)
			if err == nil {
				t.Fatalf("got %+v, want an error", sc)
			}
			said := strings.ReplaceAll(err.Error(), "testdata/bad/", "") + "\n"
			golden.Check(t, []byte(said), "bad/"+strings.TrimSuffix(filepath.Base(file), ".yaml")+".want")
		})
	}
}

func read(t *testing.T, text string) *scenarios.Scenario {
	t.Helper()
	sc, err := scenarios.Read(strings.NewReader(text), "testdata/test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func TestRead(t *testing.T) {
	got := read(t, `
name: shop
about: buyers at noon
users: 20
spawn_rate: 300/m     # 5 a second
run_for: 1m30s
timeout: 3s
quick: {users: 4, run_for: 5s, share: 2}
accounts:
  requests_each: 90
  sign_in: {post: /login, body: {email: "{{email}}", password: "{{password}}"}, expect: {status: 200}, save: {token: json:token}}
  sign_out: {delete: /session}
journeys:
  - name: buyer
    think: 400ms..800ms
    feed: {file: goods.csv, order: random}
    tasks:
      - name: list goods
        weight: 3
        get: /goods?page=1
        header: {Accept: application/json}
        expect: {status: [200, 304], header: {ETag: null}, json: {items.0.id: null, total: 2}, body: items}
        save: {good_id: json:items.0.id, tag: header:ETag}
      - name: buy
        think: 2s
        steps:
          - name: put in basket
            post: /basket
            body: {good: "{{good_id}}", name: "{{good}}", count: 2, gift: false, note: null, tags: [a, "1"]}
            timeout: 1s
            forget: [good_id]
          - {name: look, get: /basket, anonymous: true}
intruders:
  - {name: guesser, addresses: 3, guesses: 8, after: 1s, every: 100ms}
targets:
  - p95(put in basket) < 300ms
  - {target: rps >= 5, only: [shop]}
abort:
  - p95 > 1s for 10s
`)
	want := &scenarios.Scenario{
		Name: "shop", About: "buyers at noon", Timeout: 3 * time.Second, File: "testdata/test.yaml",
		Load: scenarios.Load{Model: scenarios.Users, Share: 1, SignIn: scenarios.Inside, Stages: []scenarios.Stage{
			{Name: "ramp", To: 20, For: 4 * time.Second}, {Name: "hold", From: 20, To: 20, For: 86 * time.Second, Judged: true},
		}},
		Quick: scenarios.Load{Model: scenarios.Users, Share: 2, SignIn: scenarios.Before, Stages: []scenarios.Stage{
			{Name: "hold", From: 4, To: 4, For: 5 * time.Second, Judged: true},
		}},
		Accounts: scenarios.Accounts{
			Requests: 90,
			SignIn: scenarios.Step{Name: "sign in", Method: "POST", Path: "/login", Body: `{"email":"{{email}}","password":"{{password}}"}`,
				Anonymous: true, Expect: scenarios.Expect{Status: []int{200}}, Save: map[string]string{"token": "json:token"}},
			SignOut: &scenarios.Step{Name: "sign out", Method: "DELETE", Path: "/session"},
		},
		Journeys: []scenarios.Journey{{
			Name: "buyer", Weight: 1, Think: scenarios.Range{From: 400 * time.Millisecond, To: 800 * time.Millisecond},
			Feed: &scenarios.Feed{File: "goods.csv", Order: "random", Column: []string{"good", "price"},
				Rows: []map[string]string{{"good": "apple", "price": "1"}, {"good": "plum, dried", "price": "3.50"}}},
			Tasks: []scenarios.Task{
				{Name: "list goods", Weight: 3, Steps: []scenarios.Step{{
					Name: "list goods", Method: "GET", Path: "/goods?page=1", Header: map[string]string{"Accept": "application/json"},
					Expect: scenarios.Expect{Status: []int{200, 304}, Header: map[string]*string{"ETag": nil}, JSON: map[string]*string{"items.0.id": nil, "total": new("2")}, Body: "items"},
					Save:   map[string]string{"good_id": "json:items.0.id", "tag": "header:ETag"},
				}}},
				{Name: "buy", Weight: 1, Think: scenarios.Range{From: 2 * time.Second, To: 2 * time.Second}, Steps: []scenarios.Step{
					{Name: "put in basket", Method: "POST", Path: "/basket", Timeout: time.Second, Forget: []string{"good_id"},
						Body: `{"good":"{{good_id}}","name":"{{good}}","count":2,"gift":false,"note":null,"tags":["a","1"]}`},
					{Name: "look", Method: "GET", Path: "/basket", Anonymous: true},
				}},
			},
		}},
		Intruder: []scenarios.Intruder{{Name: "guesser", Kind: "password guessing", Addresses: 3, Guesses: 8, After: time.Second, Every: 100 * time.Millisecond}},
		Targets: []targets.Target{
			{Metric: "p95", Step: "put in basket", Op: "<", Limit: 300e6, Text: "p95(put in basket) < 300ms"},
			{Metric: "rps", Op: ">=", Limit: 5, Text: "rps >= 5", Only: []string{"shop"}},
		},
		Abort: []targets.Target{{Metric: "p95", Op: ">", Limit: 1e9, For: 10 * time.Second, Text: "p95 > 1s for 10s"}},
	}
	ignore := cmp.Options{
		cmpopts.IgnoreFields(scenarios.Scenario{}, "SHA256"),
		cmpopts.IgnoreFields(scenarios.Step{}, "Line", "Col"),
		cmpopts.IgnoreFields(scenarios.Intruder{}, "File", "Line", "Col"),
		cmpopts.IgnoreFields(targets.Target{}, "File", "Line", "Col"),
	}
	if diff := cmp.Diff(got, want, ignore); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
	if s := got.Journeys[0].Tasks[1].Steps[0]; s.Line != 27 || s.Col != 13 {
		t.Errorf("got step %q at %d:%d, want 27:13", s.Name, s.Line, s.Col)
	}
}

func TestReadArrivals(t *testing.T) {
	const journeys = "\njourneys: [{name: visitor, steps: [{name: home, get: /}]}]\n"
	sc := read(t, "name: open\narrivals: {rate: 500/s, run_for: 10m, poisson: true, workers: 64, max_late: 1s, grid: 500us}"+journeys)
	want := scenarios.Load{Model: scenarios.Arrivals, Share: 1, SignIn: scenarios.Inside, Poisson: true, Workers: 64, MaxLate: time.Second, Grid: 500 * time.Microsecond,
		Stages: []scenarios.Stage{{Name: "hold", From: 500, To: 500, For: 10 * time.Minute, Judged: true}}}
	if diff := cmp.Diff(sc.Load, want); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
	if diff := cmp.Diff(sc.Quick, sc.Load); diff != "" {
		t.Errorf("without a quick part: -got +want\n%s", diff)
	}
	sc = read(t, `
name: waves
arrivals:
  stages:
    - {to: 100/s, for: 10s}
    - {for: 20s}
    - {name: step, from: 300/s, for: 5s}
    - {name: pause, from: 0/s, for: 5s}
    - {name: slow, from: 30/m, for: 1m, judged: false}
`+journeys)
	stages := []scenarios.Stage{
		{Name: "ramp", From: 0, To: 100, For: 10 * time.Second},
		{Name: "hold", From: 100, To: 100, For: 20 * time.Second, Judged: true},
		{Name: "step", From: 300, To: 300, For: 5 * time.Second, Judged: true},
		{Name: "pause", From: 0, To: 0, For: 5 * time.Second},
		{Name: "slow", From: 0.5, To: 0.5, For: time.Minute},
	}
	if diff := cmp.Diff(sc.Load.Stages, stages); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
}

// The hash is of what is asked for: a comment, a space or another order of
// fields changes nothing, one second more does.
func TestSHA256(t *testing.T) {
	const journeys = "journeys: [{name: visitor, steps: [{name: home, get: /}]}]\n"
	a := read(t, "name: a\nusers: 5\nrun_for: 10s\ntargets: [p95 < 1s]\n"+journeys)
	b := read(t, "# a comment\nrun_for: 10000ms\nname:   a\nusers: 5\n\n"+journeys+"targets:\n  - p95   <  1s\n")
	c := read(t, "name: a\nusers: 5\nrun_for: 11s\ntargets: [p95 < 1s]\n"+journeys)
	elsewhere, err := scenarios.Read(strings.NewReader("name: a\nusers: 5\nrun_for: 10s\ntargets: [p95 < 1s]\n"+journeys), "other.yaml")
	if err != nil || elsewhere.SHA256 != a.SHA256 {
		t.Errorf("in another file: got %v, %v, want %s", elsewhere, err, a.SHA256)
	}
	if a.SHA256 != b.SHA256 || a.SHA256 == c.SHA256 || len(a.SHA256) != 64 {
		t.Errorf("got %s, %s, %s", a.SHA256, b.SHA256, c.SHA256)
	}
}

// Baselines are found by the hash: it must not change with the names of our Go
// fields. If this fails, a tag was changed or lost, and every baseline is orphaned.
func TestSHA256IsPinned(t *testing.T) {
	sc, err := scenarios.Open("./testdata/pinned.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if want := "568190ed5533d14a5ba2f27edebfc8b1140d7ec3a4e270d78af9ba59e5fca6be"; sc.SHA256 != want {
		t.Errorf("got %s, want %s", sc.SHA256, want)
	}
}

// Every field that the hash is of has a name of its own there, and one that is not
// written leaves nothing: a new field changes no older scenario's hash.
func TestCanonicalNames(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(of.Elem())
		case reflect.Struct:
			if seen[of] || of.PkgPath() != "vitals/scenarios" && of.PkgPath() != "vitals/targets" {
				return
			}
			seen[of] = true
			for f := range of.Fields() {
				name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				if name == "-" {
					continue
				}
				always := map[string]bool{"metric": true, "op": true, "limit": true, "text": true}[name]
				if name == "" || !always && options != "omitempty" && options != "omitzero" {
					t.Errorf("%s.%s has the tag %q, want a name, and omitzero or omitempty", of, f.Name, f.Tag)
				}
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[scenarios.Scenario]())
	if len(seen) < 12 {
		t.Errorf("walked over %d types only", len(seen))
	}
}

// Older files say "guess passwords": they are read, are the same scenario, and are
// told the new word.
func TestFormerWords(t *testing.T) {
	const file = "name: a\nusers: 5\nrun_for: 20s\njourneys: [{name: visitor, steps: [{name: home, get: /}]}]\nintruders:\n  - {name: x, kind: %s}\n"
	for former, now := range map[string]string{
		"guess passwords": "password guessing", "spray passwords, rate: 5/s, strangers: 3": "password spraying, rate: 5/s, unknown_accounts: 3",
		"spoof headers": "header spoofing", "guess codes": "code guessing", "reuse tokens": "token replay", "dribble headers": "slowloris",
		"oversize bodies": "oversized body",
	} {
		a, b := read(t, fmt.Sprintf(file, former)), read(t, fmt.Sprintf(file, now))
		if a.SHA256 != b.SHA256 || a.Intruder[0].Kind != b.Intruder[0].Kind {
			t.Errorf("%q is read as %q, %q as %q", former, a.Intruder[0].Kind, now, b.Intruder[0].Kind)
		}
		word, _, _ := strings.Cut(now, ",")
		if said := a.Warnings.Error(); !strings.Contains(said, "test.yaml:6:21: ") || !strings.Contains(said, fmt.Sprintf("is now called %q", word)) || len(b.Warnings) > 0 {
			t.Errorf("%q: got the warnings %q and %q", former, said, b.Warnings)
		}
	}
}

func TestOpen(t *testing.T) {
	for name, want := range map[string]string{
		"paek":          `no built-in scenario named "paek" (did you mean "peak"?; a file is named with its ending, as in ./paek.yaml)`,
		"./nowhere.yml": "scenario: open ./nowhere.yml: no such file or directory",
	} {
		if _, err := scenarios.Open(name); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

func TestFeedJSON(t *testing.T) {
	sc := read(t, `
name: shop
users: 1
run_for: 10s
journeys:
  - name: buyer
    feed: {file: goods.json}
    steps: [{name: show, get: "/{{good}}/{{price}}/{{ripe}}"}]
`)
	want := []map[string]string{{"good": "apple", "price": "1.50", "ripe": "true"}, {"good": "pear", "price": "12345678901234567890", "ripe": "false"}}
	if diff := cmp.Diff(sc.Journeys[0].Feed.Rows, want); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
}

// A value in quotes keeps the ends of its lines, as spreadsheets write them.
func TestFeedsKeepEndsOfLines(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"goods.csv": "name,said\r\n\"a \"\"b\"\"\",\"one\r\ntwo\nthree\"\r\nc,\"\r\n\"\r\nd,e\r\n",
		"shop.yaml": "name: shop\nusers: 1\nrun_for: 10s\njourneys:\n- {name: buyer, feed: {file: goods.csv}, steps: [{name: say, post: /, body: {said: \"{{said}}{{name}}\"}}]}\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sc, err := scenarios.Open(filepath.Join(dir, "shop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{{"name": `a "b"`, "said": "one\r\ntwo\nthree"}, {"name": "c", "said": "\r\n"}, {"name": "d", "said": "e"}}
	if diff := cmp.Diff(sc.Journeys[0].Feed.Rows, want); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
}

func FuzzRead(f *testing.F) {
	for _, dir := range []string{"testdata/bad/*.yaml", "library/*.yaml", "library/parts/*.yaml"} {
		files, err := filepath.Glob(dir)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		sc, err := scenarios.Read(strings.NewReader(text), "fuzz.yaml")
		if err != nil {
			return
		}
		for _, l := range []scenarios.Load{sc.Load, sc.Quick} {
			if l.Peak() <= 0 || l.Total() <= 0 || len(l.Phases()) == 0 {
				t.Fatalf("read a load of nothing: %+v", l)
			}
			if l.Model == scenarios.Users {
				l.Users().Spans(0)
			} else if !l.Poisson {
				s := l.Arrivals(1)
				if due, ok := s.Due(s.Total() - 1); s.Total() > 0 && (!ok || due > l.Total()+l.Grid) {
					t.Fatalf("last arrival at %s, %t of %s", due, ok, l.Total())
				}
			}
		}
		if len(sc.SHA256) != 64 || sc.Name == "" || len(sc.Journeys) == 0 {
			t.Fatalf("read %+v", sc)
		}
	})
}

// A part lies beside the scenario, its feeds beside the part; what the scenario
// has of its own comes after.
func TestUseFile(t *testing.T) {
	sc := read(t, `
name: shop
use: ./parts/shop.part.yaml
users: 1
run_for: 10s
journeys:
  - name: looker
    steps: [{name: home, get: /}]
`)
	if len(sc.Journeys) != 2 || sc.Journeys[0].Name != "buyer" || sc.Journeys[1].Name != "looker" || len(sc.Journeys[0].Feed.Rows) != 2 || len(sc.Intruder) != 1 {
		t.Errorf("got %+v, %+v", sc.Journeys, sc.Intruder)
	}
}
