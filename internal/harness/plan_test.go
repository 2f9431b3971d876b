package harness

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vitals/internal/stack"
)

// options reads words as `vitals run` would.
func options(t *testing.T, words ...string) Options {
	t.Helper()
	o := Options{Pace: "full", Targets: "production", Replicas: 1, Out: t.TempDir(), Seed: 1}
	for i := 0; i < len(words); i++ {
		value := func() string { i++; return words[i] }
		switch words[i] {
		case "--stack":
			o.Stack = value()
		case "--pace":
			o.Pace = value()
		case "--targets":
			o.Targets = value()
		case "--url":
			o.URL = value()
		case "--replicas":
			o.Replicas, _ = strconv.Atoi(value())
		case "--fault":
			o.Faults = append(o.Faults, value())
		case "--metrics":
			o.Metrics = value()
		case "--cores":
			o.Cores, _ = strconv.ParseFloat(value(), 64)
		case "--cpus":
			o.CPUs, _ = strconv.ParseFloat(value(), 64)
		case "--accounts":
			o.Accounts = value()
		case "--profile":
			o.Profile = value()
		case "--out":
			o.Out = value()
		case "--set":
			o.Set = append(o.Set, value())
		default:
			o.Scenarios = append(o.Scenarios, words[i])
		}
	}
	return o
}

func TestBadOptions(t *testing.T) {
	for args, want := range map[string]string{
		"smoke --fault redis:stop@1s+1s":                                                        "--fault needs --stack containers",
		"smoke --replicas 2":                                                                    "--replicas needs --stack containers",
		"smoke --stack containers --cpus NaN":                                                   "--cpus NaN: want at least 0.01, or 0 for all",
		"smoke --stack containers --cpus Inf":                                                   "--cpus +Inf: want at least 0.01",
		"smoke --url http://127.0.0.1:1 --cores NaN":                                            "--cores NaN: want how many cores",
		"smoke --url http://127.0.0.1:1 --cores -1":                                             "--cores -1: want how many cores",
		"smoke --stack containers --replicas 0":                                                 "--replicas 0: want 1 to 16",
		"smoke --stack containers --pace quick --fault redis:stop@30s+1s":                       "scenario smoke ends at 10s (quick pace)",
		"smoke --stack containers --pace quick --fault redis:stop@4s+2s":                        "scenario smoke ends at 10s (quick pace), and with 5s to recover in it needs to go on until 11s",
		"smoke normal --stack containers --pace quick --fault redis:stop@3500ms+2s":             "scenario smoke ends",
		"smoke --set SECRET_KEY=abc":                                                            "a secret, which belongs in no flag",
		"smoke --set RATE_LIMIT_REDIS_FAILUR=closed":                                            `did you mean "RATE_LIMIT_REDIS_FAILURE"?`,
		"smoke --set RATE_LIMIT_REDIS_FAILURE=shut":                                             "must be one of local, closed, open",
		"smoke --set RATE_LIMIT_LOGIN":                                                          "--set RATE_LIMIT_LOGIN: want NAME=VALUE",
		"smoke --set RATE_LIMIT_LOGIN=5 --set RATE_LIMIT_LOGIN=6":                               "stands twice",
		"smoke --url http://127.0.0.1:1 --set RATE_LIMIT_LOGIN=5":                               "has its settings already",
		"smoke --stack containers --pace quick --targets testdata/during.yaml":                  `has no phase "fault"`,
		"smoke --stack containers --pace quick --targets testdata/during.yaml --fault x:y@3s+1": "no part",
	} {
		o := options(t, strings.Fields(args)...)
		if _, err := Read(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("run %s: got %v, want %q", args, err, want)
		}
	}
}

// Every secret of the API is out of --set's reach, a new one too.
func TestSetTakesNoSecret(t *testing.T) {
	var names []string
	known, _, err := stack.Describe(map[string]string{"ENV": "test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range known {
		env := map[string]string{"ENV": "test", s.Name: "", s.Name + "_FILE": filepath.Join(t.TempDir(), "absent")}
		if _, _, err := stack.Describe(env); err != nil && strings.Contains(err.Error(), s.Name+"_FILE") {
			names = append(names, s.Name) // only secrets may come from a file
		}
	}
	if len(names) < 5 {
		t.Fatalf("got secrets %v, want those of the API's table", names)
	}
	for _, name := range names {
		if !slices.Contains(stackOwn, name) {
			t.Errorf("--set would take the secret %s", name)
		}
	}
}

// A scenario is checked without its secrets; what a run will need is said.
func TestValidateNeedsNoEnvironment(t *testing.T) {
	sc := file(t, "env.yaml", strings.Replace(reads("users: 1\nrun_for: 1s"), "get: /x", `get: "/x?k={{env VITALS_NO_SUCH_KEY}}&token=hunter2", anonymous: true, header: {Authorization: Bearer hunter2, X-Api-Key: "{{env VITALS_NO_SUCH_KEY}}", Cookie: "a=hunter2"}, body: {secret: hunter2}`, 1))
	o := options(t, sc)
	if _, err := Read(o); err == nil || !strings.Contains(err.Error(), "export VITALS_NO_SUCH_KEY before") {
		t.Errorf("run: got %v, want that the variable is missing", err)
	}
	o.ReadOnly = true
	p, err := Read(o)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := p.Print(&out); err != nil || strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), "X-Api-Key: {{env VITALS_NO_SUCH_KEY}}") || !strings.Contains(out.String(), "{{env VITALS_NO_SUCH_KEY}}: the environment variable is not set; a run needs it") || !strings.Contains(out.String(), "; nobody signs in\n") {
		t.Errorf("validate: got %v and\n%s", err, &out)
	}
}

// An intruder that only a profile can guide is told of before the run, where none does.
func TestPrintNamesIntrudersWithoutTheirProfile(t *testing.T) {
	const replays = `
intruders:
  - {name: replayer, kind: token replay, rounds: 1}
  - {name: guesser, guesses: 1}
`
	mine := file(t, "mine.yaml", reads("users: 1\nrun_for: 5s"+signIn)+replays)
	for _, c := range []struct {
		scenario string
		words    []string
		told     bool
	}{
		{mine, []string{"--url", "http://127.0.0.1:1", "--accounts", accounts(t, 20)}, true},
		{"peak", nil, false}, // its own system is its profile
	} {
		o := options(t, append([]string{c.scenario}, c.words...)...)
		o.ReadOnly = true
		p, err := Read(o)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := p.Print(&out); err != nil {
			t.Fatal(err)
		}
		const want = `note      intruder "replayer" will show nothing: there is no profile that says how this API is asked to login, refresh, logout (give --profile)`
		if got := strings.Contains(out.String(), want); got != c.told || strings.Count(out.String(), "will show nothing") > 1 {
			t.Errorf("%s: told %v, want %v:\n%s", c.scenario, got, c.told, out.String())
		}
	}
}

// A body is printed to the byte: blanks as they are, ends of lines quoted.
func TestPrintShowsBodiesAsTheyAreSent(t *testing.T) {
	for body, want := range map[string]string{
		`'{"good": "tea",  "n": 1.0}'`:       `body {"good": "tea",  "n": 1.0}`,
		`"zip=02142\nline  two\n"`:           `body "zip=02142\nline  two\n"`,
		`"` + strings.Repeat("ä", 200) + `"`: "body " + strings.Repeat("ä", 150) + "…",
	} {
		o := options(t, file(t, "bodies.yaml", strings.Replace(reads("users: 1\nrun_for: 1s"), "get: /x", "post: /x, body: "+body, 1)))
		o.ReadOnly = true
		p, err := Read(o)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := p.Print(&out); err != nil || !strings.Contains(out.String(), want+"\n") {
			t.Errorf("%s: got %v and\n%s", body, err, &out)
		}
	}
}
