package importer_test

import (
	"strings"
	"testing"
)

// A refusal of whoever showed no token tells how objects are refused, be it of another object than
// those that were read: of one that an answer told, or that has what looks like an id.
func TestRefusalsOfOtherObjects(t *testing.T) {
	mine := [][2]string{{"Authorization", "Bearer " + annsToken}}
	signIn := caught{method: "POST", path: "/login", body: annSignsIn, answer: `{"token":"` + annsToken + `"}`}
	list := caught{method: "GET", path: "/api/parcels", header: mine, answer: `{"items":[{"id":"aa"},{"id":"bb"},{"id":9007199254740993}]}`}
	made := caught{method: "POST", path: "/api/parcels", header: mine, body: `{}`, status: 201, answer: `{"id":"p-4711-x"}`}
	read := caught{method: "GET", path: "/api/parcels/p-4711-x", header: mine, answer: `{"id":"p-4711-x"}`}
	lines := caught{method: "GET", path: "/api/parcels/p-4711-x/lines", header: mine, answer: `[]`}
	remove := caught{method: "DELETE", path: "/api/parcels/p-4711-x", header: mine, status: 204}
	for _, c := range []struct {
		path   string
		status int
		header [][2]string
		want   string // what the profile says of get; "" = nothing
	}{
		{"/api/parcels/9007199254740993", 401, nil, "refused: 401"},
		{"/api/parcels/bb", 403, nil, "refused: 403"},
		{"/api/parcels/bb?full=1", 404, nil, "refused: 404"},
		{"/api/parcels/5", 401, nil, "refused: 401"},
		{"/api/parcels/p-4711-x", 401, nil, "refused: 401"},
		{"/api/parcels/5", 404, nil, ""},        // it may not be there
		{"/api/parcels/p-4711-x", 404, nil, ""}, // it is no longer there
		{"/api/parcels/export", 401, nil, ""},   // no object
		{"/api/parcels/bb/lines", 401, nil, ""}, // another request
		{"/v2/parcels/bb", 401, nil, ""},        // of another API
		{"/api/parcels/bb", 403, mine, ""},      // somebody else's
		{"/api/parcels/bb", 500, nil, ""},       // a fault
		{"/api/parcels/aa/bb", 401, nil, ""},    // unknown
		{"/api/parcels/bb/", 401, nil, ""},      // unknown
		{"/api/parcels/b%62", 401, nil, ""},     // as it is not written elsewhere
		{"/api/parcels/removed", 401, nil, ""},  // unknown
		{"/api/parcels/9007199254740994", 401, nil, "refused: 401"},
	} {
		refused := caught{method: "GET", path: c.path, status: c.status, header: c.header}
		f := imported(t, har(signIn, list, made, read, lines, remove, refused), "town.har")
		_, get, _ := strings.Cut(f.Profile, "\n  get:\n")
		get, _, _ = strings.Cut(get, "\n  delete:")
		private := strings.Contains(f.Profile, "objects: {private: true}")
		if got := strings.Contains(get, "refused:"); got != (c.want != "") || !strings.Contains(get, c.want) || private != got {
			t.Errorf("%s, %d: got private %v and\n%s\nwant %q", c.path, c.status, private, get, c.want)
		}
		said, lines := strings.Join(f.Said, "\n"), strings.HasSuffix(c.path, "/lines")
		if told := strings.Contains(said, "it tells how the API refuses"); told != (c.want != "" || lines) || told == strings.Contains(said, "left out: 1 request that was refused") {
			t.Errorf("%s, %d: got said %q", c.path, c.status, said)
		}
	}
}
