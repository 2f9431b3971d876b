package importer_test

import (
	"strings"
	"testing"

	"vitals/internal/importer"
	"vitals/scenarios"
)

// lastStep is the last step of a scenario that was written, as a run reads it.
func lastStep(t *testing.T, f *importer.Files) scenarios.Step {
	t.Helper()
	sc, err := scenarios.Read(strings.NewReader(f.Scenario), "scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tasks := sc.Journeys[len(sc.Journeys)-1].Tasks
	steps := tasks[len(tasks)-1].Steps
	return steps[len(steps)-1]
}

// A query is sent as it was captured, but for the values that others take the place of.
func TestQueriesAreSentAsTheyWere(t *testing.T) {
	for captured, want := range map[string]string{
		`?filter=zip%20eq%20'02142'&ordering=-weight`: "", `?q=a+b&r=a%20b`: "", `?q=%7e~&r=%e4`: "", `?a=1&&b=2&`: "", `?flag&tags[]=x&tags[]=y`: "", `?`: "", `?q=`: "",
		`?q=50%&r=a|b`: "", `?f={\"a\":[1,2]}`: `?f={"a":[1,2]}`, `?at=2026-05-04T08:00:00Z&in=(a,b)`: "", `?fields=a/b,c?d`: "",
		`?q={{x}}&r=a%20b`:              `?q=%7B%7Bx%7D%7D&r=a%20b`,
		`?f={\"a\":{\"b\":1}}`:          `?f=%7B"a":%7B"b":1%7D%7D`,
		`?who=ann@town.example&q=a%20b`: `?who={{email}}&q=a%20b`, `?who=to%20ann%40town.example&q=a%20b`: `?who=to+{{email}}&q=a%20b`,
		`?zone=zone-4711&q=a%20b`: `?zone={{zone_id}}&q=a%20b`, `?api_key=of-ann-1&q=a%20b`: `?api_key=removed-by-vitals-init&q=a%20b`, `?_=1767225600123&q=a%20b`: `?_={{seq}}&q=a%20b`,
	} {
		if want == "" {
			want = captured
		}
		f := imported(t, har(caught{method: "POST", path: "/login", body: annSignsIn, answer: `{"token":"` + annsToken + `"}`},
			caught{method: "POST", path: "/zones", body: `{"name":"A"}`, answer: `{"id":"zone-4711"}`}, caught{method: "GET", path: "/lots" + captured}), "town.har")
		if got := lastStep(t, f).Path; got != "/lots"+want {
			t.Errorf("%s\ngot  %s\nwant /lots%s", captured, got, want)
		}
	}
}
