package importer_test

import (
	"fmt"
	"strings"
	"testing"
)

// A number is sent as it was captured or documented, byte for byte.
func TestNumbersStayNumbers(t *testing.T) {
	numbers := []string{
		"0", "-0", "7", "5.0", "2.50", "12345678901", "1234567890123456", "9007199254740993", "123456789012345678901234567890",
		"0.1234567890123456789", "1E5", "1e5", "1.5E+3", "-1e-7", "1e400",
	}
	const json = `{"openapi":"3.0.3","info":{"title":"x","version":"1"},"paths":{"/p":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"object","properties":{"n":{"type":"number",%q:%s}}}}}},"responses":{"201":{"description":"ok"}}}}}}`
	const yaml = "{type: object, properties: {access_token: {type: string}}}"
	for _, n := range numbers {
		body := `{"n":` + n + `}`
		for name, source := range map[string]string{
			"a capture":       har(caught{method: "POST", path: "/zones", body: body}),
			"a collection":    strings.Replace(asPostman(fmt.Sprintf(`"request": {"method": "POST", "url": "http://t.example/orders", "body": {"mode": "raw", "raw": %q}}`, `{"n":{{qty}}}`), ""), `"value": "7"`, `"value": `+n, 1),
			"an example":      fmt.Sprintf(json, "example", n),
			"a default":       fmt.Sprintf(json, "default", n),
			"a YAML document": schema(yaml, "{type: object, properties: {n: {type: number, enum: ["+n+"]}}}", "{type: object}"),
		} {
			f := imported(t, source, "x")
			if got := lastStep(t, f).Body; got != body {
				t.Errorf("%s of %s: got %s sent", n, name, got)
			}
		}
		// What is a text is sent as one, also where YAML has no quotes around it.
		f := imported(t, schema(yaml, "{type: object, properties: {n: {type: string, example: "+n+"}}}", "{type: object}"), "x")
		if got := lastStep(t, f).Body; got != `{"n":"`+n+`"}` {
			t.Errorf("the text %s: got %s sent", n, got)
		}
	}
}

// A number that an answer told is sent back as one, and its text as a text.
func TestToldNumbersStayNumbers(t *testing.T) {
	made := caught{method: "POST", path: "/zones", body: `{"name":"A"}`, answer: `{"id":9007199254740993}`}
	for sent, want := range map[string]string{
		`{"zone":9007199254740993}`:     `{"zone":{{zone_id}}}`,
		`{"zone":"9007199254740993"}`:   `{"zone":"{{zone_id}}"}`,
		`{"zones":[9007199254740993]}`:  `{"zones":[{{zone_id}}]}`,
		`{"in":{"z":9007199254740993}}`: `{"in":{"z":{{zone_id}}}}`,
	} {
		f := imported(t, har(made, caught{method: "POST", path: "/lots", body: sent}), "town.har")
		if !strings.Contains(f.Scenario, "body: "+want+"\n") {
			t.Errorf("%s: got\n%s\nwant %s", sent, f.Scenario, want)
		}
	}
	// Of a request that belongs to the accounts nobody knows what other steps saved.
	f := imported(t, capture(signedIn, [4]string{"GET", "/shops", "", `{"items":[{"id":98765}]}`},
		[4]string{"POST", "/sessions/refresh", `{"refreshToken":"ref-111111111","shop":98765}`, `{"data":{"accessToken":"acc-222222222","refreshToken":"ref-222222222"}}`}), "town.har")
	if !strings.Contains(f.Scenario, `"shop":"removed-by-vitals-init"`) {
		t.Errorf("got\n%s", f.Scenario)
	}
}
