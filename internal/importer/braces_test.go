package importer_test

import (
	"fmt"
	"strings"
	"testing"
)

// A text with double braces is sent as it is where that can be, else it is said that it is not.
func TestDoubleBracesAreSaid(t *testing.T) {
	const mark, why = "# decide: double braces in ", ": a space was put between them, for what stands in double braces is filled in"
	openapi := func(params, body string) string {
		return document(`  /permits: {post: {` + params + `requestBody: {content: {` + body + `}}, responses: {"201": {description: ok}}}}`)
	}
	post := func(kind, body string, header ...[2]string) string {
		return har(caught{method: "POST", path: "/notes", kind: kind, body: body, header: header})
	}
	for source, want := range map[string][]string{
		post("", `{"note":"{{raw}}","a":"{b}"}`):                              {mark + "the field note" + why, `"note":"{ {raw} }"`},
		post("", `{"in":{"note":["x","a }} b"]}}`):                            {mark + "the field note" + why, `"a } } b"`},
		post("", `{"{{k}}":"x"}`):                                             {mark + "the name of a field" + why},
		post("", `"{{raw}}"`):                                                 {mark + "the body" + why},
		post("text/plain", `so {{raw}}`):                                      {mark + "the body" + why, "so { {raw} }"},
		post("application/x-www-form-urlencoded", `note=%7B%7Braw%7D%7D&b=c`): {`body: "b=c&note=%7B%7Braw%7D%7D"`},
		post("", `{"a":1}`, [2]string{"X-Note", "{{raw}}"}):                   {mark + "the header X-Note" + why, "{ {raw} }"},
		har(caught{method: "GET", path: "/notes/{{raw}}/x"}):                  {`/notes/%7B%7Braw%7D%7D/x`},
		openapi("", `application/json: {schema: {type: object, properties: {note: {type: string, example: "{{raw}}"}}}}`):                                                                                 {mark + "the field note" + why, `"note":"{ {raw} }"`},
		openapi("", `application/json: {example: {note: "{{raw}}"}}`):                                                                                                                                     {mark + "the field note" + why},
		openapi("", `application/x-www-form-urlencoded: {schema: {type: object, properties: {note: {type: string, example: "{{raw}}"}}}}`):                                                                {"note=%7B%7Braw%7D%7D"},
		openapi(`parameters: [{name: X-Note, in: header, required: true, schema: {type: string, example: "{{raw}}"}}], `, `application/json: {schema: {type: object, properties: {n: {type: integer}}}}`): {mark + "the header X-Note" + why},
		openapi(`parameters: [{name: q, in: query, required: true, schema: {type: string, example: "{{raw}}"}}], `, `application/json: {schema: {type: object, properties: {n: {type: integer}}}}`):       {"?q=%7B%7Braw%7D%7D"},
		asPostman(fmt.Sprintf(`"request": {"method": "POST", "url": "http://t.example/orders", "body": {"mode": "raw", "raw": %q}}`, `{"note": "{{{{raw}}}}"}`), ""):                                      {mark + "the field note" + why},
	} {
		f := imported(t, source, "town")
		for _, w := range want {
			if !strings.Contains(f.Scenario, w) {
				t.Errorf("%s: got\n%s\nwant %s", source, f.Scenario, w)
			}
		}
		if said := strings.Contains(f.Scenario, mark); said != strings.HasPrefix(want[0], mark) {
			t.Errorf("%s: got\n%s\nwant it said where it was changed, and only there", source, f.Scenario)
		}
	}
}
