package audit

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"vitals/internal/profile"
)

// Every probe says what it rests on, how bad it is when it fails, and which
// requirements it bears on; and no requirement is listed that nothing bears on.
func TestEveryProbeHasABasis(t *testing.T) {
	var borne []string
	for _, p := range Probes() {
		pr, ok := proofs[p.ID]
		if !ok || pr.severity.Score() == "" {
			t.Errorf("%s has no severity", p.ID)
		}
		for _, id := range bears(p.ID) {
			borne = append(borne, id)
			if !slices.ContainsFunc(requirements, func(r Requirement) bool { return r.ID == id }) {
				t.Errorf("%s: requirement %s is not listed", p.ID, id)
			}
		}
	}
	for _, r := range requirements {
		if !slices.Contains(borne, r.ID) {
			t.Errorf("no probe bears on %s", r.ID)
		}
	}
	if len(proofs) != len(Probes()) {
		t.Errorf("%d proofs for %d probes", len(proofs), len(Probes()))
	}
}

// For the clinic everything is promised.
func TestClinicPromisesEveryProbe(t *testing.T) {
	g := &Target{Profile: profile.Clinic()}
	for _, p := range Probes() {
		if b, asked, why := p.basis(g, nil); !asked || !b.Promised {
			t.Errorf("%s: got %v (%s), want a promise", p.ID, b, why)
		}
	}
}

// An API that promises nothing is accused of nothing: what a standard asks is advice,
// and the rest is not asked. Who asks for the standard has it as a FAIL.
func TestWhatIsNotPromisedIsNoFail(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/up" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(`{"code":200,"message":"fine"}`))
	}))
	defer s.Close()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Read(strings.NewReader("profile: plain\noperations: {health: {path: /up}}\n"), "plain.yaml")
	if err != nil {
		t.Fatal(err)
	}
	run := func(p *profile.Profile, standard ...string) map[string]Status {
		chosen, err := Select(Safe, []string{"HL1", "HL2", "RQ1", "SH1", "SH3"})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]Status{}
		for _, f := range Run(t.Context(), chosen, &Target{URL: u, Profile: p, Own: true}, Options{Standard: standard}).Findings {
			got[f.ID] = f.Status
		}
		return got
	}
	check := func(what string, got, want map[string]Status) {
		t.Helper()
		for id := range want {
			if got[id] != want[id] {
				t.Errorf("%s, %s: got %v, want %v", what, id, got[id], want[id])
			}
		}
	}
	check("nothing promised", run(p), map[string]Status{"HL1": NotAsked, "RQ1": NotAsked, "SH1": Advice, "SH3": Pass})
	check("asked for", run(p, profile.ASVS), map[string]Status{"HL1": NotAsked, "RQ1": NotAsked, "SH1": Fail, "SH3": Pass})
	p, err = profile.Read(strings.NewReader("profile: plain\noperations: {health: {path: /up}}\npromises: {health: {health: {message: fine}, says: doc.md:3}, request_ids: {header: X-Trace}}\n"), "plain.yaml")
	if err != nil {
		t.Fatal(err)
	}
	check("promised", run(p), map[string]Status{"HL1": Pass, "HL2": NotAsked, "RQ1": Fail, "SH1": Advice})
}

// Who promises some headers and keeps them, and is asked for a standard that wants more,
// is told that the standard is broken, not the promise; where both are, both are named.
func TestWhatFailsIsNamedByItsOwnBasis(t *testing.T) {
	for _, c := range []struct {
		name, sent, want string
		standards        []string
	}{
		{"the standard alone", "nosniff", "asvs-5.0, promised", []string{profile.ASVS}},
		{"both", "", "promises.security_headers, promised at doc.md:4, and asvs-5.0, promised", []string{profile.ASVS}},
		{"the promise alone", "", "promises.security_headers, promised at doc.md:4", nil},
		{"the guide alone", "nosniff", "production-guide, promised", []string{profile.ProductionGuide}},
		{"two standards", "nosniff", "production-guide and asvs-5.0, promised", []string{profile.ASVS, profile.ProductionGuide}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := server(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Content-Type-Options", c.sent)
				w.Header().Set("Server", "shop/1.2")
			})
			var err error
			g.Profile, err = profile.Read(strings.NewReader("profile: plain\noperations: {health: {path: /up}}\npromises: {security_headers: {headers: {X-Content-Type-Options: nosniff}, says: doc.md:4}}\n"), "plain.yaml")
			if err != nil {
				t.Fatal(err)
			}
			chosen, err := Select(Safe, []string{"SH1"})
			if err != nil {
				t.Fatal(err)
			}
			f := Run(t.Context(), chosen, g, Options{Standard: c.standards}).Findings[0]
			if f.Status != Fail || f.Basis == nil || f.Basis.String() != c.want {
				t.Errorf("got %v by %v, want FAIL by %s:\n%s", f.Status, f.Basis, c.want, f.Reason)
			}
		})
	}
}
