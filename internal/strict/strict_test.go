package strict_test

import (
	"errors"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"

	"vitals/internal/strict"
)

func TestNearest(t *testing.T) {
	fields := []string{"users", "spawn_rate", "run_for", "stages", "arrivals", "share"}
	for word, want := range map[string]string{
		"spwan_rate": "spawn_rate", "Users": "users", "user": "users", "runfor": "run_for", "stage": "stages", "arival": "arrivals",
		"banana": "", "x": "", "": "",
	} {
		if got, _ := strict.Nearest(word, fields); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	if got, _ := strict.Nearest("p59", []string{"p50", "p90", "p95"}); got != "p95" { // as near as p50, and of the same letters
		t.Errorf("p59: got %q, want p95", got)
	}
	if got, _ := strict.Nearest("user", []string{"use", "users"}); got != "users" { // a letter that is missing, before one too many
		t.Errorf("user: got %q, want users", got)
	}
	for word, want := range map[string]string{"eror": "errors", "save": "", "rors": "", "err": ""} { // missing letters, not other ones
		if got, _ := strict.Nearest(word, []string{"errors", "size", "rps"}); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	if got := strict.Hint("banana", []string{"b", "a"}); got != "known: a, b" {
		t.Errorf("got %q", got)
	}
}

func TestErrors(t *testing.T) {
	if err := (strict.Errors{}).Err(); err != nil {
		t.Errorf("got %v for no mistakes, want nil", err)
	}
	err := strict.Errors{
		{File: "b", Line: 1, Col: 1, Msg: "third"}, {File: "a", Line: 9, Col: 2, Msg: "second", Hint: "a way out"}, {File: "a", Line: 2, Col: 7, Msg: "first"},
	}.Err()
	want := "a:2:7: first\na:9:2: second (a way out)\nb:1:1: third"
	if err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if one, ok := errors.AsType[*strict.Error](err); !ok || one.Msg != "first" {
		t.Errorf("got %v as the first mistake", one)
	}
}

// Whatever the text is, it is read or refused with a place; it never breaks the
// reader.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a: 1", "a: &x [1]\nb: *x", "a: {{x}}", "? {a: b}\n: c", "a: !!binary x", "\xff\xfe\x00", "---\n---\n", "a:\n\tb: 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, root := strict.Parse("f", []byte(text))
		if root == nil {
			if d.Err() == nil || !strings.HasPrefix(d.Err().Error(), "f:") {
				t.Fatalf("got no tree and %v", d.Err())
			}
			return
		}
		read := func(n *yaml.Node) {
			d.Text(n, "a")
			d.Int(n, "a", 0)
			d.Bool(n, "a")
			d.Duration(n, "a")
			d.Rate(n, "a")
			d.List(n, "a", func(*yaml.Node) {})
		}
		d.Fields(root, "f", strict.Fields{"a": read, "b": read})
	})
}

// A time in other words comes with the words for it.
func TestTimesSpelledOtherwise(t *testing.T) {
	for written, hint := range map[string]string{
		"5 minutes": "write 5m", "1h 30 min": "write 1h30m", "1min": "write 1m", "2d": "write 48h", "1 day 2 hrs": "write 24h2h", "90": "write the unit: 90s or 90ms", "9": "write the unit: 9s",
		"1.5d": "", "soon": "", "-1s": "", "5 parsecs": "", "1e3s": "", "": "",
	} {
		d, root := strict.Parse("f", []byte("a: \""+written+"\"\n"))
		d.Fields(root, "f", strict.Fields{"a": func(n *yaml.Node) { d.Duration(n, "a") }})
		var es strict.Errors
		if !errors.As(d.Err(), &es) || len(es) != 1 || es[0].Hint != hint {
			t.Errorf("%q: got %v, want the hint %q", written, d.Err(), hint)
		}
	}
}

// A merge key stands for fields that are elsewhere, and is refused as an alias is; in
// quotes it is a name.
func TestMergeKeyIsRefused(t *testing.T) {
	d, n := strict.Parse("m.yaml", []byte("a: 1\n<<: {b: 2}\n"))
	d.Pairs(n, "body", func(key, _ *yaml.Node) {
		if key.Value == "<<" {
			t.Error("the merge key was given as a name")
		}
	})
	if err := d.Err(); err == nil || err.Error() != "m.yaml:2:1: body: merge key << is not used here (write out the fields that it stands for)" {
		t.Errorf("got %v", err)
	}
	d, n = strict.Parse("m.yaml", []byte("\"<<\": 1\n"))
	d.Pairs(n, "body", func(*yaml.Node, *yaml.Node) {})
	if err := d.Err(); err != nil {
		t.Errorf("in quotes: got %v", err)
	}
}
