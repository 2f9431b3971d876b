package checklist

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/harness"
)

// A deployment whose certificate is of its own authority is audited with --ca, and
// not reached without.
func TestAuditWithOwnAuthority(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/auth/me" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(w, `{}`)
	}))
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ ca, want, not string }{
		{ca, "SH3", "certificate signed by unknown authority"},
		{"", "certificate is signed by an authority", "SH3"},
		{"none.pem", "--ca: open none.pem", "SH3"},
	} {
		var out bytes.Buffer
		o := Options{URL: s.URL, Profile: "clinic", Only: []string{"SH3"}, Own: []string{"127.0.0.1"}, CA: tt.ca, Out: filepath.Join(t.TempDir(), "out")}
		err := Run(t.Context(), o, harness.Streams{Out: &out, Err: io.Discard})
		if said := fmt.Sprint(out.String(), err); !strings.Contains(said, tt.want) || strings.Contains(said, tt.not) {
			t.Errorf("--ca %q: got %s, want %q and not %q", tt.ca, said, tt.want, tt.not)
		}
	}
}
