package importer_test

import (
	"strings"
	"testing"
)

// Objects that are refused to whoever shows no token are promised to be private, for an
// audit to ask; others are not.
func TestObjectsThatAreRefusedArePrivate(t *testing.T) {
	f := imported(t, town(caught{answer: `{"token":"` + annsToken + `"}`}, [][2]string{{"X-Auth-Token", annsToken}}, ""), "town.har")
	want := "promises:\n  # decide: whether objects are private to their owner, as they were refused without a token; AU10 asks\n  objects: {private: true}\n"
	if !strings.Contains(f.Profile, want) {
		t.Errorf("got\n%s\nwant %q in it", f.Profile, want)
	}
	open := imported(t, har(caught{method: "GET", path: "/orders", answer: `{"orders":[]}`}, caught{method: "GET", path: "/orders", status: 401}), "town.har")
	if strings.Contains(open.Profile, "\n  objects: ") || !strings.Contains(open.Profile, "form of errors, objects (private to their owner), admins, standards\n") {
		t.Errorf("nothing that was signed: got\n%s", open.Profile)
	}
}

// What is said of what was left out is so, of one thing and of several.
func TestWhatIsSaidIsSo(t *testing.T) {
	key := func(name string) [][2]string { return [][2]string{{name, "a-long-key-4711"}} }
	for _, c := range []struct {
		source     string
		want, none string
	}{
		{har(caught{method: "GET", path: "/zones"}, caught{method: "GET", path: "/a.css"}), "left out: 1 static file or page", "1 static files"},
		{har(caught{method: "GET", path: "/zones"}, caught{method: "GET", path: "/a.css"}, caught{method: "GET", path: "/b.css"}), "left out: 2 static files and pages", "secret"},
		{har(caught{method: "GET", path: "/zones"}, caught{method: "GET", path: "/zones/x", status: 404}), "left out: 1 request that was refused", "tells how"},
		{town(caught{answer: `{"token":"` + annsToken + `"}`}, [][2]string{{"X-Auth-Token", annsToken}}, ""), "2 requests that were refused are no part of the load; they tell how the API refuses", "left out: "},
		{town(caught{answer: `{"token":"` + annsToken + `"}`}, nil, ""), "left out: 1 request that was refused\n1 request that was refused is no part of the load; it tells how the API refuses", "2 requests"},
		{har(caught{method: "GET", path: "/zones", header: key("Cookie")}), "1 secret (passwords, tokens, keys) was not copied", "removed-by"},
		{har(caught{method: "GET", path: "/zones", header: key("X-Api-Key")}), `was not copied; where one must be sent stands "removed-by-vitals-init"`, "secrets"},
	} {
		said := strings.Join(imported(t, c.source, "town.har").Said, "\n")
		if !strings.Contains(said, c.want) || strings.Contains(said, c.none) {
			t.Errorf("got %q, want %q in it, and no %q", said, c.want, c.none)
		}
	}
}

// What was asked for again and again in a row is one step; what comes back later is not.
func TestEqualRequestsInARowAreOneStep(t *testing.T) {
	get := func(path string) caught { return caught{method: "GET", path: path} }
	times := func(n int) (all []caught) {
		for range n {
			all = append(all, get("/job"))
		}
		return all
	}
	for _, c := range []struct {
		requests []caught
		want     int
		said     string
	}{
		{times(300), 1, "299 requests that repeat the one before them are left out"},
		{times(6), 1, "5 requests that repeat the one before them are left out"},
		{times(5), 5, ""},
		{append(append(times(4), get("/zones")), times(4)...), 8, ""},
		{append(times(6), get("/job?page=2")), 2, "5 requests"},
	} {
		f := imported(t, har(c.requests...), "town.har")
		if got, said := strings.Count(f.Scenario, "get: /job")+strings.Count(f.Scenario, `get: "/job`), strings.Join(f.Said, "\n"); got != c.want || !strings.Contains(said, c.said) || c.said == "" && said != "" {
			t.Errorf("%d requests: got %d steps and %q, want %d and %q", len(c.requests), got, said, c.want, c.said)
		}
	}
}
