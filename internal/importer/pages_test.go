package importer_test

import (
	"strings"
	"testing"
)

const formKind = "application/x-www-form-urlencoded"

// site is a capture of a site of forms: /home tells what /items is sent. first is asked before
// the sign-in, which sends it too.
func site(first, home string, sent ...string) string {
	cookie := [][2]string{{"Cookie", "sid=" + annsToken}}
	signIn := "email=ann%40town.example&password=S3cret-9"
	if first != "" {
		signIn += "&check=first-4711"
	}
	requests := []caught{
		{method: "GET", path: "/login", page: true, answer: first},
		{method: "POST", path: "/login", kind: formKind, body: signIn, status: 302, answerHeader: [][2]string{{"Set-Cookie", "sid=" + annsToken}}},
		{method: "GET", path: "/home", page: true, answer: home, header: cookie},
		{method: "GET", path: "/about", page: true, answer: `<input name="csrf" value="nobody-sends-4711"><input name=mail value="ann@town.example">`, header: cookie},
	}
	for _, body := range sent {
		requests = append(requests, caught{method: "POST", path: "/items", kind: formKind, body: body, status: 302, header: cookie})
	}
	return har(requests...)
}

// A page that tells what a later request sends is a step that saves it.
func TestPagesTellWhatIsSentLater(t *testing.T) {
	for page, save := range map[string]string{
		`<form><input type=hidden name="csrf" value="tick-4711+/="><input name=title></form>`: `{csrf: 'regexp:name="csrf"[^>]*\svalue="([^"]+)"'}`,
		"<input\n  value='tick-4711+/='\n  type='hidden' name='csrf'/>":                       `{csrf: "regexp:value='([^']+)'[^>]*\\sname='csrf'"}`,
		`<META content=tick-4711+/= name=csrf>`:                                               `{csrf: "regexp:content=([^\\s\"'>]+)[^>]*\\sname=csrf"}`,
		`<input data-x="a>b" name="csrf" value="tick-4711+/=">`:                               "",
	} {
		f := imported(t, site("", page, "csrf=tick-4711%2B%2F%3D&title=a+%26+b", "note=ann%40town.example"), "town.har")
		want := []string{"get: /home\n", "save: " + save, `body: "csrf={{csrf}}&title=a+%26+b"`}
		for _, w := range want {
			if !strings.Contains(f.Scenario, w) {
				t.Errorf("%s: want %q in\n%s", page, w, f.Scenario)
			}
		}
		all := f.Scenario + f.Profile
		if strings.Contains(all, "4711") || strings.Contains(all, "/about") || strings.Contains(f.Profile, "/home") || !strings.Contains(f.Profile, "# decide: a value for csrf") || !strings.Contains(strings.Join(f.Said, "\n"), "left out: 2 static files and pages") {
			t.Errorf("%s: got\n%s\n%v", page, all, f.Said)
		}
	}
}

// What a page tells and no step can save is not copied, and marked.
func TestWhatPagesTellInVain(t *testing.T) {
	for name, c := range map[string]struct{ source, want string }{
		"escaped":            {site("", `<input name="check" value="tick-4711&#43;">`, "check=tick-4711%2B"), "the field check: a page told it in a form that save cannot read"},
		"the second of two":  {site("", `<input name="check" value="other-4711"><input name="check" value="tick-4711">`, "check=tick-4711"), "the field check: a page told it in a form that save cannot read"},
		"before the sign-in": {site(`<input name="check" value="first-4711">`, "", "title=a"), "the field check: the page that told it comes before the sign-in"},
	} {
		f := imported(t, c.source, "town.har")
		if all := f.Scenario + f.Profile; strings.Contains(all, "4711") || !strings.Contains(f.Scenario, "# decide: "+c.want) || !strings.Contains(f.Scenario, "check=removed-by-vitals-init") || strings.Contains(all, "get: ") {
			t.Errorf("%s: want %q in\n%s", name, c.want, all)
		}
	}
	both := `<input name="check" value="first-4711">`
	if f := imported(t, site(both, both, "check=first-4711"), "town.har"); !strings.Contains(f.Scenario, `body: "check={{check}}"`) || strings.Contains(f.Scenario, "4711") {
		t.Errorf("told again after the sign-in: got\n%s", f.Scenario)
	}
}
