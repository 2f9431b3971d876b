package clinic

import (
	"net/http"
	"slices"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"vitals/server/store/storetest"
	"vitals/server/web"
)

// TestOperations holds what the chain outside reads from each operation: who
// must be signed in, with which role, and how large a body may be; and that it
// is described.
func TestOperations(t *testing.T) {
	api := web.NewAPI("test", "1", humago.NewAdapter(http.NewServeMux(), ""), nil)
	Register(api, Deps{DB: storetest.SQLite(t)})
	forStaff := []string{"create-patient", "update-patient", "delete-patient"}
	n := 0
	for path, item := range api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			n++
			want := []web.Role{web.Patient, web.Clinician}
			if slices.Contains(forStaff, op.OperationID) {
				want = []web.Role{web.Clinician}
			}
			if got, _ := op.Metadata["roles"].([]web.Role); !slices.Equal(got, want) {
				t.Errorf("%s %s: got roles %v, want %v", op.Method, path, got, want)
			}
			if len(op.Security) != 1 || op.Security[0]["bearer"] == nil {
				t.Errorf("%s %s: asks for no token", op.Method, path)
			}
			if op.Summary == "" || len(op.Tags) != 1 || op.OperationID == "" {
				t.Errorf("%s %s: got summary %q, tags %v, id %q", op.Method, path, op.Summary, op.Tags, op.OperationID)
			}
			if op.MaxBodyBytes != 64<<10 {
				t.Errorf("%s %s: got a body of %d bytes, want 64 KiB", op.Method, path, op.MaxBodyBytes)
			}
		}
	}
	if n != 26 {
		t.Errorf("got %d operations, want 26", n)
	}
}
