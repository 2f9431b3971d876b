package baseline_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vitals/internal/baseline"
	"vitals/internal/measure"
	"vitals/internal/schema"
)

var update = flag.Bool("update", false, "rewrite the published schema")

const published = "../../docs/baseline.schema.json"

func TestSchemaIsPublished(t *testing.T) {
	types := schema.Types{
		reflect.TypeFor[measure.Histogram](): {"type": "string", "contentEncoding": "base64", "description": "HdrHistogram V2, compressed; values in microseconds"},
	}
	defs := map[string]any{}
	root := types.Of(reflect.TypeFor[baseline.File](), defs)
	of := func(def string) map[string]any { return defs[def].(map[string]any)["properties"].(map[string]any) }
	of("baseline.File")["schema"] = map[string]any{"type": "string", "pattern": `^vitals\.baseline/1(\.[0-9]+)?$`}
	of("baseline.Design")["mode"] = map[string]any{"enum": []string{baseline.ModeSolo, baseline.ModeDuet}}
	of("baseline.Run")["arm"] = map[string]any{"enum": []string{"A", "B"}}
	root["$schema"], root["title"], root["$defs"] = "https://json-schema.org/draft/2020-12/schema", "Vitals baseline", defs
	root["description"] = "The runs of one job, as baseline.json holds them. Fields may be added within a version: whoever rewrites a file keeps what it does not know."
	if err := schema.Published(published, root, *update); err != nil {
		t.Error(err)
	}
}

func TestFilesKeepToTheSchema(t *testing.T) {
	compiled, err := jsonschema.NewCompiler().Compile(published)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := duet(o5, o5)
	a.Summarise()
	for name, c := range map[string]struct {
		file   *baseline.File
		change func(map[string]any)
		valid  bool
	}{
		"a session":      {file: file(1, 1), valid: true},
		"half a duet":    {file: a, valid: true},
		"a later minor":  {file: file(1, 1), change: func(v map[string]any) { v["schema"], v["weather"] = "vitals.baseline/1.9", "rain" }, valid: true},
		"another major":  {file: file(1, 1), change: func(v map[string]any) { v["schema"] = "vitals.baseline/2" }},
		"no environment": {file: file(1, 1), change: func(v map[string]any) { delete(v, "env") }},
		"a mode of its own": {file: file(1, 1), change: func(v map[string]any) {
			v["design"].(map[string]any)["mode"] = "trio"
		}},
	} {
		path := filepath.Join(t.TempDir(), "f.json")
		if err := baseline.Write(path, c.file); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.change != nil {
			var v map[string]any
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			c.change(v)
			if text, err = json.Marshal(v); err != nil {
				t.Fatal(err)
			}
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(v); (err == nil) != c.valid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
