package importer_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// caught is a request of a capture with its answer; headers stand as name and value.
type caught struct {
	method, path string
	header       [][2]string
	kind, body   string
	status       int
	answer       string
	page         bool // the answer is one
	answerHeader [][2]string
}

// har is a capture of requests, two seconds between each.
func har(requests ...caught) string {
	headers := func(all [][2]string) string {
		var out []string
		for _, h := range all {
			out = append(out, fmt.Sprintf(`{"name": %q, "value": %q}`, h[0], h[1]))
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	var entries []string
	for i, r := range requests {
		post := ""
		if r.body != "" {
			if r.kind == "" {
				r.kind = "application/json"
			}
			post = fmt.Sprintf(`, "postData": {"mimeType": %q, "text": %q}`, r.kind, r.body)
		}
		if r.status == 0 {
			r.status = 200
		}
		entries = append(entries, fmt.Sprintf(`{"startedDateTime": "2026-05-04T08:%02d:%02dZ", "time": 20, "request": {"method": %q, "url": "http://town.example%s", "headers": %s%s},
			"response": {"status": %d, "headers": %s, "content": {"mimeType": %q, "text": %q}}}`, 2*i/60, 2*i%60, r.method, r.path, headers(r.header), post, r.status, headers(r.answerHeader), map[bool]string{true: "text/html; charset=utf-8", false: "application/json"}[r.page], r.answer))
	}
	return `{"log": {"entries": [` + strings.Join(entries, ",\n") + `]}}`
}

// What is called like a secret, in headers, parameters and fields of any language, and what
// looks drawn by chance, stands in no file.
func TestMoreSecretsAreNotCopied(t *testing.T) {
	const hex, base = "3f786850e387550fdab836ed7e6dc881de23001b", "kX9tLmQ2vR7bNc4WzPy8HdJf3GsA6uTe1oYi5KqB"
	for secret, r := range map[string]caught{
		"sess-of-ann": {header: [][2]string{{"X-Session", "sess-of-ann"}}}, "auth-of-ann": {header: [][2]string{{"X-Auth", "auth-of-ann"}}},
		"id-of-ann": {header: [][2]string{{"Session-Id", "id-of-ann"}}}, "signed-by-ann": {header: [][2]string{{"X-Hub-Signature", "signed-by-ann"}}},
		"sig-of-ann": {path: "?sig=sig-of-ann"}, "signature-of-ann": {path: "?signature=signature-of-ann"}, "jwt-of-ann": {path: "?jwt=jwt-of-ann"},
		"code-of-ann": {path: "?code=code-of-ann&state=x"}, "state-of-ann": {path: "?code=x&state=state-of-ann"}, "4f0c9e71": {path: "?code=4f0c9e71"},
		hex: {path: "/invite/" + hex}, base: {path: "/invite/" + base}, hex + "a": {path: "?q=" + hex + "a"}, base + "a": {header: [][2]string{{"X-Shop", base + "a"}}},
		hex + "b": {body: `{"note":"` + hex + `b"}`}, base + "+/a=": {body: `{"note":"` + base + `+/a="}`},
		"de-geheim": {body: `{"passwort":"de-geheim"}`}, "fr-secret": {body: `{"mot_de_passe":"fr-secret"}`}, "es-secreto": {body: `{"contraseña":"es-secreto"}`},
		"pt-segredo": {body: `{"senha":"pt-segredo"}`}, "nl-geheim": {body: `{"wachtwoord":"nl-geheim"}`}, "de-kennung": {body: `{"kennwort":"de-kennung"}`},
		"ck_key_of_ann": {header: [][2]string{{"x-client-key", "ck_key_of_ann"}}}, "app-of-ann": {header: [][2]string{{"X-App-Key", "app-of-ann"}}}, "client-of-ann": {header: [][2]string{{"client-key", "client-of-ann"}}},
		"fun-of-ann": {header: [][2]string{{"X-Functions-Key", "fun-of-ann"}}}, "sub-of-ann": {path: "?Ocp-Apim-Subscription-Key=sub-of-ann"}, "lic-of-ann": {body: `{"licenseKey":"lic-of-ann"}`},
		"device-of-ann": {body: `{"device_token":"device-of-ann"}`}, "forge-of-ann": {kind: "application/x-www-form-urlencoded", body: "_csrf=forge-of-ann"}, "ann4711-9": {path: "?key=ann4711-9"},
		"51HqLyjWDarjtT1zdp7dcXYZ": {header: [][2]string{{"X-Shop", "51HqLyjWDarjtT1zdp7dcXYZ"}}}, "ck_live_51Hq": {body: `{"note":"is ck_live_51Hq"}`}, "pk_51HqLy": {path: "?note=pk_51HqLy"},
		"gho_16C7e42F": {body: `{"note":"gho_16C7e42F"}`}, "xoxe-1-abc": {body: `{"note":"xoxe-1-abc"}`}, "eyJwYWdlIjoxfQ": {path: "/eyJwYWdlIjoxfQ"}, "471142": {body: `{"otp":471142}`},
		"in-a-text": {kind: "text/plain", body: "amount=1\napi_key=in-a-text"}, "in-no-json": {body: `{"qty": 02, "password": "in-no-json"}`},
		"form-geheim": {kind: "application/x-www-form-urlencoded", body: "client_secret=form-geheim"},
	} {
		r.method, r.path = map[bool]string{true: "GET", false: "POST"}[r.body == ""], "/zones"+r.path
		f := imported(t, har(r, caught{method: "GET", path: "/zones", answer: `{"items":[]}`}), "town.har")
		all := f.Profile + f.Scenario + strings.Join(f.Said, "\n")
		if strings.Contains(all, secret) || strings.Contains(all, url.QueryEscape(secret)) || !strings.Contains(f.Scenario, "removed-by-vitals-init") || !strings.Contains(f.Scenario, "was a secret") {
			t.Errorf("%s of %s: got\n%s", secret, r.path, all)
		}
	}
}

// What is no secret is sent as it was.
func TestOrdinaryValuesAreCopied(t *testing.T) {
	for want, r := range map[string]caught{
		"3f2504e0-4f89-11d3-9a0c-0305e82c3301":         {path: "/3f2504e0-4f89-11d3-9a0c-0305e82c3301"},
		"My-Blog-Post-2026-about-things-to-do-at-Home": {path: "/My-Blog-Post-2026-about-things-to-do-at-Home"},
		"state=open": {path: "?state=open"}, "code=EUR": {path: "?code=EUR"}, "code=DE2": {path: "?code=DE2"}, "from=2026-05-04": {path: "?from=2026-05-04"},
		"GetCustomerOrdersByShippingAddressV2": {body: `{"action":"GetCustomerOrdersByShippingAddressV2"}`},
		"Ann Example":                          {body: `{"author":"Ann Example"}`}, "by the door": {header: [][2]string{{"X-Author", "by the door"}}},
		"3f786850e387550fdab836ed7e6dc881de23001b": {body: `{"checksum":"3f786850e387550fdab836ed7e6dc881de23001b"}`},
		"abc-4711-x": {body: `{"sort_key":"abc-4711-x"}`}, "key=theme": {path: "?key=theme"}, "page-4711-x": {path: "?nextPageToken=page-4711-x"},
		"cache-4711-x": {header: [][2]string{{"X-Cache-Key", "cache-4711-x"}}}, "size-4711-x": {body: `{"key":"size-4711-x"}`}, "sk_SK": {body: `{"locale":"sk_SK"}`}, "ab_test_variant": {body: `{"note":"ab_test_variant"}`},
		"order-2026-05-04-A1b2": {body: `{"ref":"order-2026-05-04-A1b2"}`}, "GetOrdersByShipDateV2": {body: `{"action":"GetOrdersByShipDateV2"}`}, "two lines = 2": {kind: "text/plain", body: "two lines = 2"},
		"12345678901234567890123456789012": {body: `{"number":"12345678901234567890123456789012"}`},
	} {
		r.method, r.path = map[bool]string{true: "GET", false: "POST"}[r.body == ""], "/zones"+r.path
		f := imported(t, har(r), "town.har")
		if !strings.Contains(f.Scenario, want) || strings.Contains(f.Scenario, "removed-by") {
			t.Errorf("%s: got\n%s", want, f.Scenario)
		}
	}
	told := "3f786850e387550fdab836ed7e6dc881de23001b"
	f := imported(t, har(caught{method: "POST", path: "/zones", body: `{"name":"A"}`, answer: `{"id":"` + told + `"}`}, caught{method: "GET", path: "/zones/" + told}), "town.har")
	if !strings.Contains(f.Scenario, "/zones/{{zone_id}}") {
		t.Errorf("an id that was told: got\n%s", f.Scenario)
	}
}
