package scenarios_test

import (
	"strings"
	"testing"

	"vitals/scenarios"
)

// A number in a body is sent as it was written, also where YAML would read another one
// or a text; a text in quotes stays one.
func TestNumbersAreSentAsWritten(t *testing.T) {
	sc, err := scenarios.Read(strings.NewReader(`name: numbers
users: 1
run_for: 1s
journeys:
  - name: j
    tasks:
      - {name: send, post: /x, anonymous: true, body: {a: 1e400, b: -1E400, c: 1.10, d: 123456789012345678901234567890, e: [1e999, 1e5], f: "1e400", g: '7'}}
`), "numbers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"a":1e400,"b":-1E400,"c":1.10,"d":123456789012345678901234567890,"e":[1e999,1e5],"f":"1e400","g":"7"}`
	if got := sc.Journeys[0].Tasks[0].Steps[0].Body; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
