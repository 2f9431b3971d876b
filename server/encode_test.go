package server

import (
	"context"
	"math"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// An answer that has no JSON is a 500 with a body, never half an answer.
func TestAnAnswerWithoutJSONIsA500(t *testing.T) {
	bed := newTestbed(t, func(d *Deps) {
		d.Register = append(d.Register, func(api huma.API) {
			huma.Register(api, huma.Operation{Method: "GET", Path: "/api/v1/endless", OperationID: "endless"},
				func(context.Context, *struct{}) (*struct{ Body float64 }, error) {
					return &struct{ Body float64 }{math.Inf(1)}, nil
				})
		})
	})
	a := bed.ask(t, "GET", "/api/v1/endless", "")
	if a.StatusCode != 500 || a.Problem.Code != "internal" || a.Problem.RequestID == "" {
		t.Errorf("got %d %q, want 500 with a problem", a.StatusCode, a.Text)
	}
}
