package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"vitals/internal/measure"
	"vitals/report"
	"vitals/targets"
)

// published is where the schema stands for readers.
const published = "../docs/document.schema.json"

// schemaOf describes a type as encoding/json writes it.
func schemaOf(t reflect.Type, defs map[string]any) map[string]any {
	switch t {
	case reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case reflect.TypeFor[time.Duration]():
		return map[string]any{"type": "integer"}
	case reflect.TypeFor[measure.Histogram]():
		return map[string]any{"type": "string", "contentEncoding": "base64", "description": "HdrHistogram V2, compressed; values in microseconds"}
	case reflect.TypeFor[targets.Status]():
		return map[string]any{"enum": []string{targets.Pass.String(), targets.Fail.String(), targets.NoData.String()}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), defs)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice, reflect.Array:
		return map[string]any{"type": []string{"array", "null"}, "items": schemaOf(t.Elem(), defs)}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": schemaOf(t.Elem(), defs)}
	case reflect.Interface:
		return map[string]any{}
	case reflect.Struct:
		name := strings.TrimPrefix(t.String(), "*")
		ref := map[string]any{"$ref": "#/$defs/" + name}
		if defs[name] != nil {
			return ref
		}
		properties, required := map[string]any{}, []string{}
		def := map[string]any{"type": "object", "properties": properties}
		defs[name] = def
		fields(t, func(f reflect.StructField, name, options string) {
			p := schemaOf(f.Type, defs)
			for suffix, unit := range map[string]string{"_us": "microseconds", "_ns": "nanoseconds", "_ms": "milliseconds", "_mib": "MiB"} {
				if strings.HasSuffix(name, suffix) {
					p["description"] = unit
				}
			}
			properties[name] = p
			if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
				required = append(required, name)
			}
		})
		if len(required) > 0 {
			def["required"] = required
		}
		return ref
	default:
		return map[string]any{"type": "integer"}
	}
}

func fields(t reflect.Type, each func(f reflect.StructField, name, options string)) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && name == "":
			fields(f.Type, each)
		default:
			if name == "" {
				name = f.Name
			}
			each(f, name, options)
		}
	}
}

// The published schema is the one that the types have.
func TestSchemaIsPublished(t *testing.T) {
	defs := map[string]any{}
	root := schemaOf(reflect.TypeFor[report.Document](), defs)
	document := defs["report.Document"].(map[string]any)["properties"].(map[string]any)
	document["schema"] = map[string]any{"const": report.Schema}
	document["verdict"] = map[string]any{"enum": []string{report.Pass, report.Fail, report.Invalid, report.NoData}}
	root["$schema"], root["title"], root["$defs"] = "https://json-schema.org/draft/2020-12/schema", "Vitals document", defs
	root["description"] = "One session of `vitals run`, as document.json holds it. Fields may be added within a version; a reader ignores what it does not know."
	want, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if updating() {
		if err := os.WriteFile(published, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("%s is not what the types say; run the test with -update (-published +types):\n%s", published, diff)
	}
}

// A document keeps to the published schema, and one that does not is refused.
func TestDocumentKeepsToTheSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(published)
	if err != nil {
		t.Fatal(err)
	}
	d := document(t)
	d.Comparison = comparison(t)
	for name, c := range map[string]struct {
		change func(*report.Document)
		valid  bool
	}{
		"whole":         {func(*report.Document) {}, true},
		"empty":         {func(d *report.Document) { *d = report.Document{Schema: report.Schema, Verdict: report.NoData} }, true},
		"other schema":  {func(d *report.Document) { d.Schema = 1 }, false},
		"other verdict": {func(d *report.Document) { d.Verdict = "GOOD" }, false},
	} {
		doc := *d
		c.change(&doc)
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(render(t, report.JSON, &doc)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); (err == nil) != c.valid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
