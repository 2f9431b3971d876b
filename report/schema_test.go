package report_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vitals/internal/measure"
	"vitals/internal/schema"
	"vitals/report"
	"vitals/targets"
)

// published is where the schema stands for readers.
const published = "../docs/document.schema.json"

// types that write themselves.
var types = schema.Types{
	reflect.TypeFor[measure.Histogram](): {"type": "string", "contentEncoding": "base64", "description": "HdrHistogram V2, compressed; values in microseconds"},
	reflect.TypeFor[targets.Status]():    {"enum": []string{targets.Pass.String(), targets.Fail.String(), targets.NoData.String()}},
}

// The published schema is the one that the types have.
func TestSchemaIsPublished(t *testing.T) {
	defs := map[string]any{}
	root := types.Of(reflect.TypeFor[report.Document](), defs)
	document := defs["report.Document"].(map[string]any)["properties"].(map[string]any)
	document["schema"] = map[string]any{"const": report.Schema}
	document["verdict"] = map[string]any{"enum": []string{report.Pass, report.Fail, report.Invalid, report.NoData, report.Inconclusive}}
	root["$schema"], root["title"], root["$defs"] = "https://json-schema.org/draft/2020-12/schema", "Vitals document", defs
	root["description"] = "One session of `vitals run`, as document.json holds it. Fields may be added within a version; a reader ignores what it does not know."
	if err := schema.Published(published, root, updating()); err != nil {
		t.Error(err)
	}
}

// A document keeps to the published schema, and one that does not is refused.
func TestDocumentKeepsToTheSchema(t *testing.T) {
	compiled, err := jsonschema.NewCompiler().Compile(published)
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
		if err := compiled.Validate(v); (err == nil) != c.valid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
