package profile_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vitals/internal/profile"
)

// The reference is read by the reader itself: every field of a profile stands in
// it, with a value that is not the one of a profile without it.
func TestReferenceHasEveryField(t *testing.T) {
	text := reference(t)
	_, after, _ := strings.Cut(text, "```yaml\n")
	block, _, ok := strings.Cut(after, "```")
	if !ok {
		t.Fatal("docs/profiles.md has no profile in it")
	}
	p, err := profile.Read(strings.NewReader(block), "profiles.md")
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]bool{}
	walk(reflect.ValueOf(*p), "Profile", set)
	for _, field := range slices.Sorted(maps.Keys(set)) {
		if !set[field] {
			t.Errorf("no profile in docs/profiles.md sets %s", field)
		}
	}
	if got := p.At("limits.login"); got.String() != "docs/security.md:12" {
		t.Errorf("got %v as the place of the login limit, want where the user's document says it", got)
	}
	if got := p.At("limits.api"); got.File != "profiles.md" || got.Line == 0 {
		t.Errorf("got %v as the place of the api limit, want its line in the profile", got)
	}
	if got := p.At("promises.nothing"); got.File != "profiles.md" || got.Line == 0 {
		t.Errorf("got %v as the place of what is not there, want the profile", got)
	}
}

// walk notes for every exported field of a value whether it is set anywhere.
func walk(v reflect.Value, at string, set map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v = reflect.New(v.Type().Elem())
		}
		walk(v.Elem(), at, set)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			name := v.Type().Name() + "." + f.Name
			set[name] = set[name] || !v.Field(i).IsZero()
			walk(v.Field(i), name, set)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			walk(v.MapIndex(k), at, set)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), at, set)
		}
	}
}

// The tables say what the code knows, and no more.
func TestReferenceTables(t *testing.T) {
	text := reference(t)
	for title, want := range map[string]map[string]string{
		"## Operations": profile.Known(), "## Fields of answers": profile.KnownFields(), "## Placeholders": profile.KnownPlaceholders(),
	} {
		_, section, _ := strings.Cut(text, title+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		var got, rows []string
		for line := range strings.Lines(section) {
			if strings.HasPrefix(line, "| `") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			rows = append(rows, fmt.Sprintf("| `%s` | %s |", name, want[name]))
		}
		if !slices.Equal(got, rows) {
			t.Errorf("%s: got\n%s\nwant\n%s", title, strings.Join(got, "\n"), strings.Join(rows, "\n"))
		}
	}
}

func reference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/profiles.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
