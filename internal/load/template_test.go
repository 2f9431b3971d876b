package load

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/internal/wire"
)

func TestTemplates(t *testing.T) {
	names := []string{"email", "id"}
	slot := func(name string) int {
		for i, n := range names {
			if n == name {
				return i
			}
		}
		names = append(names, name)
		return len(names) - 1
	}
	vars := []variable{{value: []byte(`a+b"c`), known: true}, {value: []byte("7/8"), known: true}, {}}
	now := time.Date(2026, 3, 4, 23, 30, 0, 0, time.FixedZone("", 3600))
	for _, tt := range []struct {
		text string
		esc  escape
		want string // a regular expression
	}{
		{"plain", inText, `plain`},
		{"/u/{{id}}?mail={{ email }}", inPath, `/u/7%2F8\?mail=a%2Bb%22c`},
		{`{"m":"{{email}}"}`, inJSON, `\{"m":"a\+b\\"c"\}`},
		{"{{seq}}/{{nothing_yet}}/", inText, `42//`},
		{"{{uuid}}", inText, `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`},
		{"{{now}} {{now+24h}} {{now-30m}} {{today}}", inText, `2026-03-04T22:30:00Z 2026-03-05T22:30:00Z 2026-03-04T22:00:00Z 2026-03-04`},
		{"{{int 5 7}}", inText, `[567]`},
		{"{{int -2 -2}}", inText, `-2`},
		{"{{pick red|light blue}}", inText, `red|light blue`},
		{"/{{pick a/b?c|a/b?c}}?q={{pick x&y=1|x&y=1}}", inPath, `/a%2Fb%3Fc\?q=x%26y%3D1`},
		{`{"q":"{{pick say "hi"|say "hi"}}"}`, inJSON, `\{"q":"say \\"hi\\""\}`},
	} {
		tpl, err := parse(tt.text, slot, slot)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		got := string(tpl.fill(nil, vars, &generatorState{n: 42, rng: rand.New(rand.NewPCG(1, 2)), now: func() time.Time { return now }}, tt.esc))
		if !regexp.MustCompile("^(" + tt.want + ")$").MatchString(got) {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
	for _, bad := range []string{"{{open", "{{int 7}}", "{{int 9 3}}", "{{int a b}}"} {
		if _, err := parse(bad, slot, slot); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
}

// A value from an answer can neither end a header line nor begin another request.
func TestHeaderValuesStayOneLine(t *testing.T) {
	got := string(wire.InHeader(nil, []byte("a\r\nEvil:\tyes\x00\x7f\rand\nno")))
	if strings.ContainsAny(got, "\r\n\x00\x7f") || got != "a Evil:\tyes and no" {
		t.Errorf("got %q, want one line without control characters", got)
	}
}

// A word of {{pick}} in the fields of a body is escaped once, as any other text is:
// the API reads what the scenario says.
func TestPickedWordsAreEscapedOnce(t *testing.T) {
	words := []string{`a"b`, `a\b`, "caf\u00e9", "<&>", "a\tb"}
	for _, word := range words {
		step, err := json.Marshal("{{pick " + word + "|" + word + "}} and " + word)
		if err != nil {
			t.Fatal(err)
		}
		asked(t, "", "      - {name: it, anonymous: true, post: /x, body: {x: "+string(step)+"}}\n", func(http.ResponseWriter, *http.Request) {}, func(t *testing.T, got []seen, _ measure.Finished) {
			var body struct{ X string }
			if err := json.Unmarshal([]byte(got[0].body), &body); err != nil || body.X != word+" and "+word {
				t.Errorf("%q: got %s, which is %q (%v)", word, got[0].body, body.X, err)
			}
		})
	}
}
