package importer_test

import (
	"fmt"
	"strings"
	"testing"
)

// An id that an answer tells is filled in where ids are sent, also when something else of the same
// value was sent before; that stays as it is.
func TestIDsThatWereSentAsSomethingElse(t *testing.T) {
	for _, c := range []struct{ sent, told, path, body, want string }{
		{`{"big":9007199254740993}`, `{"id":9007199254740993}`, "/parcels/9007199254740993", "", "get: /parcels/{{parcel_id}}"},
		{`{"big":9007199254740993}`, `{"id":"9007199254740993"}`, "/parcels/9007199254740993", "", "get: /parcels/{{parcel_id}}"},
		{`{"title":"red-and-blue"}`, `{"data":{"slug":"red-and-blue"}}`, "/parcels/red-and-blue", "", "get: /parcels/{{slug}}"},
		{`{"big":9007199254740993}`, `{"big":9007199254740993,"id":9007199254740993}`, "/lines?parcel_id=9007199254740993", "", "get: /lines?parcel_id={{parcel_id}}"},
		{`{"big":9007199254740993}`, `{"id":9007199254740993}`, "/lines", `{"big":9007199254740993,"parcelId":9007199254740993}`, "body: {big:9007199254740993,parcelId:{{parcel_id}}}"},
		{`{"n":1}`, `{"id":"p-12345678","name":"p-12345678"}`, "/parcels/p-12345678", "", "save: {parcel_id: json:id}"},
		// Of what the user sent as an id, and of what is told under another name, nothing is saved.
		{`{"parcel":"p-12345678"}`, `{"id":"p-12345678"}`, "/parcels/p-12345678", "", "get: /parcels/p-12345678\n"},
		{`{"id":"p-12345678"}`, `{"id":"p-12345678"}`, "/parcels/p-12345678", "", "get: /parcels/p-12345678\n"},
		{`{"big":9007199254740993}`, `{"size":9007199254740993}`, "/parcels/9007199254740993", "", "get: /parcels/9007199254740993\n"},
		{`{"big":9007199254740993}`, `{"id":9007199254740993}`, "/lines?page=9007199254740993", "", "get: /lines?page=9007199254740993\n"},
	} {
		method := map[bool]string{true: "POST", false: "GET"}[c.body != ""]
		item := fmt.Sprintf(`"request": {"method": "POST", "url": "http://t.example/parcels", "body": {"mode": "raw", "raw": %q}}, "response": [{"code": 201, "body": %q}]}, {"name": "Next",
			"request": {"method": %q, "url": "http://t.example%s", "body": {"mode": "raw", "raw": %q}}`, c.sent, c.told, method, c.path, c.body)
		object, is := strings.CutPrefix(c.path, "/parcels/")
		variable := item
		if is {
			variable = strings.Replace(item, fmt.Sprintf(`"http://t.example%s"`, c.path), fmt.Sprintf(`{"raw": "http://t.example/parcels/:id", "variable": [{"key": "id", "value": %q}]}`, object), 1)
		}
		for kind, source := range map[string]string{
			"HAR":                      har(caught{method: "POST", path: "/parcels", body: c.sent, status: 201, answer: c.told}, caught{method: method, path: c.path, body: c.body}),
			"Postman":                  asPostman(item, ""),
			"Postman, a path variable": asPostman(variable, ""),
		} {
			if f := imported(t, source, "town"); !strings.Contains(noQuotes(f.Scenario), c.want) {
				t.Errorf("%s, %s after %s: got\n%s\nwant %s", kind, c.path, c.told, f.Scenario, c.want)
			}
		}
	}
}

// A collection need not create an object before it asks for it: that it is the same one each time
// is marked.
func TestAskedForBeforeItIsCreated(t *testing.T) {
	const mark = "# decide: which object it asks for: the answer to Make tells 9007199254740993, and comes later"
	for path, want := range map[string]bool{"/parcels": true, "/parcels/9007199254740993/copies": false, "/boxes": false} {
		f := imported(t, asPostman(fmt.Sprintf(`"request": {"method": "GET", "url": {"raw": "http://t.example/parcels/:id", "variable": [{"key": "id", "value": "9007199254740993"}]}}}, {"name": "Make",
			"request": {"method": "POST", "url": "http://t.example%s", "body": {"mode": "raw", "raw": "{}"}}, "response": [{"code": 201, "body": "{\"id\": 9007199254740993}"}]`, path), ""), "town")
		if strings.Contains(f.Scenario, mark) != want || !strings.Contains(f.Scenario, "get: /parcels/9007199254740993\n") {
			t.Errorf("%s: got\n%s\nwant it marked: %v", path, f.Scenario, want)
		}
	}
}
