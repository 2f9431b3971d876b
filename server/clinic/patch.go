package clinic

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/web"
)

// Patch is a JSON merge patch (RFC 7396) of a T without nested objects: fields
// that are absent stay, null empties an optional one. T's rules hold, but
// nothing of it is required.
type Patch[T any] struct{ raw []byte }

// UnmarshalJSON keeps the patch as it came, for Apply.
func (p *Patch[T]) UnmarshalJSON(b []byte) error {
	p.raw = bytes.Clone(b)
	return nil
}

// Apply writes the patch over to.
func (p Patch[T]) Apply(to *T) error {
	if err := json.Unmarshal(p.raw, to); err != nil {
		return web.Fail(http.StatusUnprocessableEntity, "validation", "The request does not have the expected form.").Because(err)
	}
	return nil
}

// Schema is T's, with every field optional.
func (Patch[T]) Schema(r huma.Registry) *huma.Schema {
	s := huma.SchemaFromType(r, reflect.TypeFor[T]())
	s.Required = nil
	s.PrecomputeMessages()
	return s
}
