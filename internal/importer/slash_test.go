package importer_test

import (
	"strings"
	"testing"

	"vitals/internal/importer"
)

// A slash at the end of paths changes nothing but that it is sent.
func TestPathsMayEndInASlash(t *testing.T) {
	for _, slash := range []string{"", "/"} {
		captured := imported(t, capture([4]string{"POST", "/api/token" + slash, `{"user":"ann@town.example","password":"S3cret-9"}`, `{"access":"acc-111111111"}`},
			[4]string{"GET", "/parcels" + slash + "?page=1", "", `{"results":[{"id":98171}]}`}, [4]string{"GET", "/parcels/98171" + slash, "", `{"id":98171}`}, [4]string{"PATCH", "/parcels/98171" + slash, `{"note":"x"}`, `{"id":98171}`},
			[4]string{"POST", "/parcels" + slash, `{"note":"x"}`, `{"id":98172}`}, [4]string{"DELETE", "/parcels/98172" + slash + "?hard=1", "", ""}), "town.har")
		documented := imported(t, document(strings.ReplaceAll(`  /parcels_: {get: {responses: {"200": {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}}}}},
    post: {`+aBody+`responses: {"201": {description: ok, content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}}}}}
  /parcels/{id}_: {get: {responses: {"200": {description: ok}}}, patch: {`+aBody+`responses: {"200": {description: ok}}}, delete: {responses: {"204": {description: ok}}}}
`, "_", slash)), "x.yaml")
		for source, f := range map[string]*importer.Files{"a capture": captured, "a document": documented} {
			for _, op := range []string{"list:\n", "create:\n    method: POST\n", "get:\n", "update:\n    method: PATCH\n", "delete:\n    method: DELETE\n"} {
				path := "    path: \"/parcels/{{id}}" + slash + "\"\n"
				if strings.HasPrefix(op, "list") || strings.HasPrefix(op, "create") {
					path = "    path: /parcels" + slash + "\n"
				}
				if !strings.Contains(f.Profile, "\n  "+op+path) {
					t.Errorf("%s, %q: no %s in\n%s", source, slash, op+path, f.Profile)
				}
			}
		}
		if !strings.Contains(captured.Profile, "  login:\n    method: POST\n    path: /api/token"+slash+"\n") || !strings.Contains(captured.Scenario, "forget: [parcel_id_2]") {
			t.Errorf("%q: got\n%s\n%s", slash, captured.Profile, captured.Scenario)
		}
		if !strings.Contains(documented.Scenario, "delete: \"/parcels/{{own_parcel_id}}"+slash+"\"\n") || len(documented.Said) > 0 {
			t.Errorf("%q: got %q and\n%s", slash, documented.Said, documented.Scenario)
		}
	}
}
