package audit_test

import (
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mccutchen/go-httpbin/v2/httpbin"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// guilty are the lines that go-httpbin breaks, each seen by hand, with a word of
// what must be found. It is a tool for testing clients, so it may.
var guilty = map[string]string{
	"HL1": `version is missing`,                            // /status/200 has no body
	"RQ1": `X-Request-ID is "", want a UUID`,               // it gives out no ids,
	"RQ2": `sent probe-0123456789ab, got "" back`,          // and passes none on
	"RQ3": `with id "", want it replaced by a UUID`,        // nor replaces one
	"CO1": `without Origin: Vary is "", want Origin in it`, // it reflects the Origin and tells no cache
	"CO2": `origin "https://evil.example" got Access-Control-Allow-Origin: https://evil.example`,
	"CO3": `the header X-Evil was granted`, // it reflects Access-Control-Request-Headers
	"CO4": `Access-Control-Expose-Headers is "", want Retry-After in it`,
	"SH1": `X-Content-Type-Options is "", want nosniff`,
}

// Against an API that has none of the controls, and hardly any of the operations,
// the audit accuses it of what it really does, proves what holds, and says why the
// rest could not be asked.
func TestHTTPBin(t *testing.T) {
	srv := httptest.NewUnstartedServer(httpbin.New())
	srv.Config.ReadHeaderTimeout, srv.Config.ReadTimeout = time.Second, 5*time.Second // as its own program has them
	srv.Start()
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Open("testdata/httpbin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	probes, err := audit.Select(audit.Control, nil)
	if err != nil {
		t.Fatal(err)
	}
	rep := audit.Run(t.Context(), probes, &audit.Target{
		URL: u, Profile: p, Own: true, Origin: "https://app.example",
		Accounts: []audit.Account{{Email: "a@httpbin.example", Password: "a"}, {Email: "b@httpbin.example", Password: "b"}},
		Source:   func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 44, byte(n >> 8), byte(n)}) },
	}, audit.Options{Patience: 5 * time.Second, Standard: profile.Standards()})
	passed := map[string]bool{}
	for _, f := range rep.Findings {
		want, is := guilty[f.ID]
		switch {
		case is && (f.Status != audit.Fail || !strings.Contains(f.Reason, want)):
			t.Errorf("%s: got %s, want a failure with %q:\n%s", f.ID, f.Status, want, f.Reason)
		case !is && f.Status == audit.Fail:
			t.Errorf("%s accuses wrongly:\n%s", f.ID, f.Reason)
		case f.Status == audit.Skip && (f.Reason == "" || strings.Contains(f.Reason, "broke")):
			t.Errorf("%s: skipped without a reason, or broken: %q", f.ID, f.Reason)
		}
		passed[f.ID] = f.Status == audit.Pass
	}
	// It knows no metrics, documents or files, its checks are unlimited, it cuts slow
	// connections off, and idle ones keep nobody out.
	for _, id := range []string{"HL7", "SH3", "SH4", "SH8"} {
		if !passed[id] {
			t.Errorf("%s: want it passed", id)
		}
	}
	if len(passed) != len(probes) || rep.Counts.Pass > 4 {
		t.Errorf("got %d findings of %d probes, %d passed: more than this API can show", len(passed), len(probes), rep.Counts.Pass)
	}
}
