package importer_test

import (
	"strings"
	"testing"
)

// schema is a document whose operations are made of JSON schemas.
func schema(login, body, answer string) string {
	return strings.NewReplacer("{type: object, properties: {access_token: {type: string}}}", login).Replace(document(
		`  /permits: {post: {requestBody: {content: {application/json: {schema: ` + body + `}}}, responses: {"201": {description: ok, content: {application/json: {schema: ` + answer + `}}}}}}`))
}

// A text that a schema says nothing of is one that it has elsewhere, or that fits its
// pattern; what is neither is marked.
func TestValuesAreNotInventedWhereTheyStand(t *testing.T) {
	const plain = "{type: object, properties: {access_token: {type: string}}}"
	for _, c := range []struct{ field, answer, want string }{
		{"plate: {type: string}", "plate: {type: string, examples: [AB12 CDE]}", `"plate":"AB12 CDE"`},
		{"plate: {type: string, pattern: '^[A-Z]{2}[0-9]{2}$'}", "plate: {type: string, example: BC34}", `"plate":"BC34"`},
		{"plate: {type: string, pattern: '^[A-Z]{2}[0-9]{2} [A-Z]{3}$'}", "id: {type: string}", `"plate":"AA11 AAA"`},
		{"plate: {type: string, pattern: '^(on|off)$'}", "id: {type: string}", `"plate":"on"`},
		{"plate: {type: string, pattern: '^[a-z_]+$', minLength: 4}", "id: {type: string}", `"plate":"aaaa"`},
		{"plate: {type: string, pattern: '[0-9]'}", "id: {type: string}", `"plate":"1"`},
		{"ownerId: {type: string}", "ownerId: {type: string, example: own_1}", `"ownerId":"text"`}, // there need be no such owner
		{"plate: {type: string, pattern: '^(?=.*[0-9]).{8}$'}", "id: {type: string}", `"plate":"text"`},
		{"plate: {type: string, pattern: '^[a-z]{9}$', maxLength: 3}", "id: {type: string}", `"plate":"tex"`},
		{"plate: {type: string, pattern: '((((()*)*)*)*)*'}", "id: {type: string}", `"plate":"text"`},
		{"plate: {type: string, format: date}", "plate: {type: string, example: 2026-05-01}", `"plate":"{{today}}"`},
	} {
		f := imported(t, schema(plain, "{type: object, properties: {"+c.field+"}}", "{type: object, properties: {"+c.answer+"}}"), "x.yaml")
		if !strings.Contains(f.Scenario, c.want) {
			t.Errorf("%s and %s\ngot %s\nwant %s", c.field, c.answer, f.Scenario, c.want)
		}
		if marked := strings.Contains(f.Scenario, "a text was invented"); marked != strings.Contains(c.want, `"tex`) {
			t.Errorf("%s: got it marked: %t", c.field, marked)
		}
	}
}

// Who signed in is found beside the token, whatever the API calls its people.
func TestPeopleAreFoundBesideTheToken(t *testing.T) {
	const driver = "{type: object, properties: {id: {type: string}, email: {type: string}}}"
	for login, want := range map[string]string{
		"{type: object, properties: {token: {type: string}, driver: " + driver + "}}":                                                                                                `user_id: "driver.id"`,
		"{type: object, properties: {data: {type: object, properties: {session: {type: object, properties: {id: {type: string}, token: {type: string}}}, driver: " + driver + "}}}}": `user_id: "data.driver.id"`,
		"{type: object, properties: {token: {type: string}, driver: " + driver + ", user: " + driver + "}}":                                                                          `user_id: "user.id"`,
		"{type: object, properties: {token: {type: string}, driver: " + driver + ", warden: " + driver + "}}":                                                                        "",
		"{type: object, properties: {token: {type: string}, zone: {type: object, properties: {id: {type: string}}}}}":                                                                "",
	} {
		f := imported(t, schema(login, "{type: object}", "{type: object}"), "x.yaml")
		if got := strings.Contains(f.Profile, "user_id: "); got != (want != "") || !strings.Contains(f.Profile, want) {
			t.Errorf("%s\ngot %s\nwant %q", login, f.Profile, want)
		}
	}
}

// A refresh is answered as documented, else as the sign-in, which is marked.
func TestRefreshHasItsTokens(t *testing.T) {
	const login = "{type: object, properties: {data: {type: object, properties: {accessToken: {type: string}, refreshToken: {type: string}}}}}"
	refresh := func(answer string) string {
		return strings.Replace(schema(login, "{type: object}", "{type: object}"), "  /zones:", `  /refresh: {post: {requestBody: {content: {application/json: {schema: {type: object, properties: {refreshToken: {type: string}}}}}}, responses: {"200": {description: ok`+answer+`}}}}
  /zones:`, 1)
	}
	for answer, want := range map[string][2]string{
		", content: {application/json: {schema: {type: object, properties: {pair: {type: object, properties: {accessToken: {type: string}, refreshToken: {type: string}}}}}}}": {
			`fields: {access_token: "pair.accessToken", refresh_token: "pair.refreshToken"}`, "save: {refresh_token: json:pair.refreshToken, token: json:pair.accessToken}",
		},
		"": {`fields: {access_token: "data.accessToken", refresh_token: "data.refreshToken"}`, "save: {refresh_token: json:data.refreshToken, token: json:data.accessToken}"},
	} {
		f := imported(t, refresh(answer), "x.yaml")
		_, profile, _ := strings.Cut(f.Profile, "  refresh:")
		_, scenario, _ := strings.Cut(f.Scenario, "  refresh:")
		if !strings.Contains(profile, want[0]) || !strings.Contains(scenario, want[1]) {
			t.Errorf("got\n%s\n%s\nwant %q", profile, scenario, want)
		}
		for _, text := range []string{f.Profile, f.Scenario} {
			if marked := strings.Contains(text, "that of the sign-in is taken"); marked != (answer == "") {
				t.Errorf("%q: got it marked: %t", answer, marked)
			}
		}
	}
}
