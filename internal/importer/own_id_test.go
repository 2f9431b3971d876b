package importer_test

import (
	"fmt"
	"strings"
	"testing"
)

// A field that has the id of the object that is changed has that of whichever object is changed:
// in the profile {{id}}, in the scenario what was saved.
func TestOwnIDsInBodies(t *testing.T) {
	const mark = "# decide: whether the API takes a text for "
	for _, c := range []struct {
		id, body          string
		scenario, profile string
		marked            string // what a number was sent for
	}{
		{`9007199254740995`, `{"id":9007199254740995,"weight":2.0}`, `body: {"id":{{parcel_id}},"weight":2.0}`, `body: {"id":"{{id}}","weight":2.0}`, "id"},
		{`"p-4711-x"`, `{"id":"p-4711-x","n":1}`, `body: {"id":"{{parcel_id}}","n":1}`, `body: {"id":"{{id}}","n":1}`, ""},
		{`"p-4711-x"`, `{"ref":"p-4711-x"}`, `body: {"ref":"{{parcel_id}}"}`, `body: {"ref":"{{id}}"}`, ""},
		{`77`, `{"parcel":{"parcelId":77}}`, `body: {"parcel":{"parcelId":{{parcel_id}}}}`, `body: {"parcel":{"parcelId":"{{id}}"}}`, "parcel.parcelId"},
		{`"7"`, `{"id":"7","count":7}`, `body: {"count":7,"id":"{{parcel_id}}"}`, `body: {"count":7,"id":"{{id}}"}`, ""},
		{`"p-4711-x"`, `{"boxId":"b-1","n":1}`, `body: {"boxId":"b-1","n":1}`, `body: {"boxId":"b-1","n":1}`, ""},
	} {
		path := "/parcels/" + strings.Trim(c.id, `"`)
		f := imported(t, har(caught{method: "POST", path: "/parcels", body: `{}`, answer: `{"id":` + c.id + `}`}, caught{method: "PATCH", path: path, body: c.body}), "town.har")
		if _, update, _ := strings.Cut(f.Profile, mark); !strings.Contains(f.Scenario, c.scenario) || !strings.Contains(f.Profile, c.profile) || !strings.HasPrefix(update, c.marked) || (update == "") != (c.marked == "") {
			t.Errorf("%s: got\n%s\n%s\nwant %s, %s and a mark of %q", c.body, f.Scenario, f.Profile, c.scenario, c.profile, c.marked)
		}
		// Of an object that no answer told the profile knows it by its name.
		if f = imported(t, har(caught{method: "GET", path: "/parcels", answer: `[]`}, caught{method: "PATCH", path: path, body: c.body}), "town.har"); !strings.Contains(f.Profile, c.profile) && !strings.Contains(c.id, "p-") {
			t.Errorf("%s: got\n%s\nwant %s", c.body, f.Profile, c.profile)
		}
	}
}

// So do the examples of a specification.
func TestOwnIDsInExamples(t *testing.T) {
	for _, c := range []struct{ name, kind, body, scenario, profile string }{
		{"parcel_id", "integer", "weight: {type: number, example: 2.0}, id: {type: integer, example: 10}", `{"id":{{parcel_id}},"weight":2.0}`, `{"id":"{{id}}","weight":2.0}`},
		{"slug", "string", "slug: {type: string, example: red}, box_id: {type: string, example: b1}", `{"box_id":"b1","slug":"{{parcel_id}}"}`, `{"box_id":"b1","slug":"{{id}}"}`},
		{"id", "string", "data: {type: object, properties: {id: {type: string, format: uuid}, box: {type: object, properties: {id: {type: integer, example: 3}}}}}", `{"data":{"box":{"id":3},"id":"{{parcel_id}}"}}`, `{"data":{"box":{"id":3},"id":"{{id}}"}}`},
	} {
		f := imported(t, fmt.Sprintf(`openapi: 3.0.3
info: {title: Depot, version: "1"}
paths:
  /parcels:
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {note: {type: string, example: x}}}}}}
      responses: {"201": {description: made, content: {application/json: {schema: {type: object, properties: {id: {type: %[2]s}}}}}}}
  /parcels/{%[1]s}:
    put:
      parameters: [{name: %[1]s, in: path, required: true, schema: {type: %[2]s}}]
      requestBody: {content: {application/json: {schema: {type: object, properties: {%[3]s}}}}}
      responses: {"200": {description: ok}}
`, c.name, c.kind, c.body), "depot.yaml")
		if !strings.Contains(f.Scenario, "body: "+c.scenario) || !strings.Contains(f.Profile, "body: "+c.profile) {
			t.Errorf("%s: got\n%s\n%s\nwant %s and %s", c.body, f.Scenario, f.Profile, c.scenario, c.profile)
		}
	}
}
