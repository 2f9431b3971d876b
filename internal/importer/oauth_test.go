package importer_test

import (
	"strings"
	"testing"
)

// The account of a sign-in is its user's, and a program's only where there is no other.
func TestAccountsAreNoPrograms(t *testing.T) {
	for sent, account := range map[string]string{
		`{"client_id":"web","username":"ann@town.example"}`:               `"username":"{{email}}"`,
		`{"client_id":"web","name":"ann@town.example"}`:                   `"name":"{{email}}"`,
		`{"client_id":null,"phone":"+15550100"}`:                          `"phone":"{{email}}"`,
		`{"account":"acme","email":"ann@town.example"}`:                   `"email":"{{email}}"`,
		`{"name":"Ann's phone","username":"ann@town.example"}`:            `"username":"{{email}}"`,
		`{"client_id":"web"}`:                                             `"client_id":"{{email}}"`,
		`{"device":{"user":"pixel"},"login":"ann@town.example"}`:          `"login":"{{email}}"`,
		`{"device":{"user":"pixel"},"client_id":"ann"}`:                   `"client_id":"{{email}}"`,
		`{"client_id":"web","data":{"username":"a","password":"pw-4711"}`: `"username":"{{email}}"`,
	} {
		if body := strings.TrimSuffix(sent, "}") + `,"password":"pw-4711"}`; !strings.Contains(sent, "pw-4711") {
			sent = body
		} else {
			sent += "}"
		}
		login := `{"method": "POST", "url": "http://town.example/login", "body": {"mode": "raw", "raw": ` + quote(sent) + `}}`
		for kind, source := range map[string]string{
			"HAR":     har(caught{method: "POST", path: "/login", body: sent, answer: `{"token":"tok-4711-abc"}`}, caught{method: "GET", path: "/zones"}),
			"Postman": `{"info": {"name": "Town", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}, "item": [{"name": "Login", "request": ` + login + `}, {"name": "Zones", "request": "http://town.example/zones"}]}`,
			"OpenAPI": schema("{type: object, properties: {access_token: {type: string}}}", "{type: object}", "{type: object}"),
		} {
			if kind == "OpenAPI" {
				source = strings.Replace(source, "{type: object, properties: {email: {type: string}, password: {type: string}}}", "{type: object, example: "+sent+"}", 1)
			}
			f := imported(t, source, "town")
			for _, text := range []string{f.Profile, f.Scenario} {
				if !strings.Contains(text, account) || strings.Count(text, "{{email}}") != 1 {
					t.Errorf("%s of %s: want %s in\n%s", sent, kind, account, text)
				}
			}
		}
	}
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// passwordForm is a document whose sign-in is OAuth2's form, with these fields beside.
func passwordForm(required, fields string) string {
	return strings.Replace(document(""), "{application/json: {schema: {type: object, properties: {email: {type: string}, password: {type: string}}}}}",
		"{application/x-www-form-urlencoded: {schema: {type: object, required: [username, password"+required+"], properties: {username: {type: string}, password: {type: string, format: password}, scope: {type: string, default: ''}, "+fields+"}}}}", 1)
}

// Of OAuth2's form for a password, what names the program is sent where it must be, or is
// told; and the grant is that of a password, where the document says no other.
func TestPasswordForms(t *testing.T) {
	const null, sent = "{type: 'null'}", "&password={{password}}&scope=&username={{email}}"
	for _, c := range []struct{ required, fields, want, invented string }{
		{"", "grant_type: {anyOf: [{type: string, pattern: ^password$}, " + null + "]}, client_id: {anyOf: [{type: string}, " + null + "]}, client_secret: {anyOf: [{type: string, format: password}, " + null + "]}", "grant_type=password" + sent, ""},
		{"", "grant_type: {type: string}, client_id: {type: string}, client_secret: {type: string}", "grant_type=password" + sent, ""},
		{"", "grant_type: {type: string, enum: [refresh_token, password]}, refresh_token: {type: string, example: ''}", "grant_type=password&password={{password}}&refresh_token=&scope=&username={{email}}", ""},
		{"", "grant_type: {type: string, pattern: ^(refresh_token|password)$}", "grant_type=password" + sent, ""},
		{"", "grant_type: {const: pwd}", "grant_type=pwd" + sent, ""},
		{"", "grant_type: {type: string, default: pwd}", "grant_type=pwd" + sent, ""},
		{"", "grant_type: {type: string, enum: [pwd]}", "grant_type=pwd" + sent, ""},
		{"", "grant_type: {type: string}, client_id: {type: string, default: web}", "client_id=web&grant_type=password" + sent, ""},
		{", client_id, client_secret", "grant_type: {type: string}, client_id: {type: string}, client_secret: {type: string}", "client_id=text&client_secret=text&grant_type=password" + sent, "client_id, client_secret"},
	} {
		f := imported(t, passwordForm(c.required, c.fields), "x.yaml")
		if !strings.Contains(f.Scenario, `body: "`+c.want+`"`+"\n") {
			t.Errorf("%s: want %s in\n%s", c.fields, c.want, f.Scenario)
		}
		for _, text := range []string{f.Profile, f.Scenario} {
			if !strings.Contains(text, "no example for "+c.invented+": a text was invented") != (c.invented == "") {
				t.Errorf("%s: want %q marked in\n%s", c.fields, c.invented, text)
			}
		}
	}
}

// Swagger 2 has the form's fields one by one.
func TestPasswordFormsOfSwagger(t *testing.T) {
	const field = `{in: formData, type: string, name: `
	for grant, want := range map[string]string{"": "password", ", enum: [refresh_token, password]": "password", ", default: pwd": "pwd"} {
		f := imported(t, `swagger: "2.0"
info: {title: Town, version: "1"}
paths:
  /zones: {get: {responses: {"200": {description: ok}}}}
  /token: {post: {consumes: [application/x-www-form-urlencoded], parameters: [`+field+`client_id}, `+field+`grant_type, required: true`+grant+`}, `+field+`username, required: true}, `+field+`password, required: true}], responses: {"200": {description: ok}}}}
`, "x.yaml")
		if body := `body: "grant_type=` + want + `&password={{password}}&username={{email}}"`; !strings.Contains(f.Scenario, body) {
			t.Errorf("%s: want %s in\n%s", grant, body, f.Scenario)
		}
	}
}
