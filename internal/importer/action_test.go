package importer_test

import (
	"fmt"
	"strings"
	"testing"

	"vitals/internal/importer"
)

// document is a specification of an API that signs in, with these paths beside.
func document(paths string) string {
	return `openapi: 3.1.0
info: {title: Town, version: "1"}
security: [{bearer: []}]
paths:
  /sign-in:
    post:
      security: []
      requestBody: {content: {application/json: {schema: {type: object, properties: {email: {type: string}, password: {type: string}}}}}}
      responses: {"200": {description: ok, content: {application/json: {schema: {type: object, properties: {access_token: {type: string}}}}}}}
  /zones: {get: {responses: {"200": {description: ok}}}}
` + paths + `
components: {securitySchemes: {bearer: {type: http, scheme: bearer}, staffToken: {type: http, scheme: bearer}}}
`
}

func imported(t *testing.T, text, file string) *importer.Files {
	t.Helper()
	f, err := importer.Import([]byte(text), importer.Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const aBody = `requestBody: {content: {application/json: {schema: {type: object, properties: {days: {type: integer}}}}}}, `

// What is done to an object that is there is no traffic, whatever its verb; what is added
// to a collection is.
func TestActionsAreLeftOut(t *testing.T) {
	lists := `  /drivers: {get: {responses: {"200": {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}}}}}}
  /drivers/{id}: {get: {responses: {"200": {description: ok}}}}
  /drivers/{id}/history: {get: {responses: {"200": {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}}}}}%s}
`
	for _, c := range []struct {
		path, method string
		body, sent   bool
	}{
		{"/drivers/{id}/disable", "post", false, false},
		{"/drivers/{id}/disable", "post", true, false},
		{"/drivers/{id}/disable", "put", false, false},
		{"/drivers/{id}/disable", "patch", true, false},
		{"/drivers/{id}/password-expiry", "put", true, false},
		{"/drivers/{id}/bills", "post", false, false}, // to bill somebody is a verb as well
		{"/drivers/{id}/bills", "post", true, true},
		{"/drivers/{id}/status", "post", true, false},
		{"/drivers/{id}/access", "post", true, false},
		{"/drivers/{id}/cancel-all", "post", true, false},
		{"/drivers/{id}:disable", "patch", true, false},
		{"/drivers/{id}", "patch", true, true},
		{"/drivers:purge", "post", true, false},
		{"/drivers/purge", "post", true, false},
		{"/purge", "post", false, false},
		{"/bills", "post", true, true},
	} {
		body := ""
		if c.body {
			body = aBody
		}
		op := fmt.Sprintf("%s: {%sresponses: {\"204\": {description: done}}}", c.method, body)
		paths := fmt.Sprintf(lists, "") + "  " + c.path + ": {" + op + "}\n"
		if c.path == "/drivers/{id}" {
			paths = strings.Replace(fmt.Sprintf(lists, ""), "/drivers/{id}: {", "/drivers/{id}: {"+op+", ", 1)
		}
		f := imported(t, document(paths), "x.yaml")
		if sent := strings.Contains(f.Scenario, "        "+c.method+": "); sent != c.sent {
			t.Errorf("%s %s, with a body: %t: got it sent: %t\n%s", c.method, c.path, c.body, sent, f.Scenario)
		}
		if said := strings.Contains(strings.Join(f.Said, "\n"), strings.ToUpper(c.method)+" "+c.path); said == c.sent {
			t.Errorf("%s %s, with a body: %t: got it said: %t", c.method, c.path, c.body, said)
		}
	}
	// A word behind an id that can be listed is a collection all the same.
	f := imported(t, document(fmt.Sprintf(lists, `, post: {`+aBody+`responses: {"201": {description: made}}}`)), "x.yaml")
	if !strings.Contains(f.Scenario, "post: \"/drivers/{{driver_id}}/history\"") {
		t.Errorf("got %s, want what can be listed to be added to", f.Scenario)
	}
}

// Operations for others than ordinary accounts fail for these, and do harm for the rest.
func TestReservedOperationsAreLeftOut(t *testing.T) {
	const ok = `"200": {description: ok}`
	for op, sent := range map[string]bool{
		`/admin/drivers: {get: {responses: {` + ok + `}}}`:                                                                false,
		`/internal/drivers: {get: {responses: {` + ok + `}}}`:                                                             false,
		`/staff/drivers: {get: {responses: {` + ok + `}}}`:                                                                false,
		`/administrators-guide: {get: {responses: {` + ok + `}}}`:                                                         true,
		`/drivers: {get: {summary: Search drivers (admins only), responses: {` + ok + `}}}`:                               false,
		`/drivers: {get: {description: Requires the admin role., responses: {` + ok + `}}}`:                               false,
		`/drivers: {get: {tags: [Admin], responses: {` + ok + `}}}`:                                                       false,
		`/drivers: {get: {security: [{staffToken: []}], responses: {` + ok + `}}}`:                                        false,
		`/drivers: {get: {security: [{bearer: ["admin:read"]}], responses: {` + ok + `}}}`:                                false,
		`/drivers: {get: {security: [{bearer: ["drivers:read"]}], responses: {` + ok + `}}}`:                              true,
		`/drivers: {get: {summary: Search, responses: {` + ok + `, "403": {description: For wardens only}}}}`:             false,
		`/drivers: {get: {summary: Search, responses: {` + ok + `, "403": {description: only clerks may do this}}}}`:      false,
		`/drivers: {get: {summary: Search, responses: {` + ok + `, "403": {description: only owners may do this}}}}`:      true,
		`/drivers: {get: {summary: Search (active ones only), responses: {` + ok + `, "403": {description: not yours}}}}`: true,
	} {
		f := imported(t, document("  "+op), "x.yaml")
		path, _, _ := strings.Cut(op, ":")
		if got := strings.Contains(f.Scenario, "get: "+path+"\n"); got != sent {
			t.Errorf("%s: got it sent: %t", op, got)
		}
		if said := strings.Contains(strings.Join(f.Said, "\n"), "left out, it is for others than ordinary accounts: GET "+path); said == sent {
			t.Errorf("%s: got %q", op, f.Said)
		}
		if asked := strings.Contains(f.Profile, "admins: {only: [{path: \""+path+"\"}], says: \"x.yaml:"); asked == sent {
			t.Errorf("%s: an audit asks for it: %t, in\n%s", op, asked, f.Profile)
		}
		if got := strings.Contains(f.Profile, "path: "+path+"\n"); got && !sent {
			t.Errorf("%s: it is in the profile", op)
		}
	}
	// Of an API that is for admins alone, its accounts are admins.
	f := imported(t, strings.Replace(document("  /admin/drivers: {get: {responses: {"+ok+"}}}"), "  /zones: {get", "  /admin/zones: {get", 1), "x.yaml")
	if !strings.Contains(f.Scenario, "get: /admin/drivers") || !strings.Contains(f.Scenario, "get: /admin/zones") {
		t.Errorf("got %s, want what an API for admins alone has", f.Scenario)
	}
}
