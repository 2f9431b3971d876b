// Package schema describes Go types as JSON Schema (draft 2020-12), the way that
// encoding/json writes them, so that what is published cannot differ from what
// is written. Tests of the packages that write files use it.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"
	"time"
)

// Types are descriptions of types that write themselves.
type Types map[reflect.Type]map[string]any

// Of describes a type as encoding/json writes it, and adds the structs it is made
// of to defs.
func (ts Types) Of(t reflect.Type, defs map[string]any) map[string]any {
	if known, ok := ts[t]; ok {
		return maps.Clone(known)
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case reflect.TypeFor[time.Duration]():
		return map[string]any{"type": "integer"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return ts.Of(t.Elem(), defs)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice, reflect.Array:
		return map[string]any{"type": []string{"array", "null"}, "items": ts.Of(t.Elem(), defs)}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": ts.Of(t.Elem(), defs)}
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
			p := ts.Of(f.Type, defs)
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

// Published compares the schema of a file with what stands at path, which it
// rewrites when update is set.
func Published(path string, schema map[string]any, update bool) error {
	want, err := json.MarshalIndent(schema, "", " ")
	if err != nil {
		return err
	}
	want = append(want, '\n')
	if update {
		return os.WriteFile(path, want, 0o644)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is not what the types say; run the test with -update", path)
	}
	return nil
}
