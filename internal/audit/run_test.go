package audit

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"vitals/internal/profile"
	"vitals/internal/redact"
)

// server is a target that answers every request alike.
func server(t *testing.T, h http.HandlerFunc) *Target {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &Target{URL: u, Profile: profile.Clinic(), Own: true}
}

func one(t *testing.T, g *Target, ctx context.Context, run func(*T)) Finding {
	t.Helper()
	rep := Run(ctx, []Probe{{ID: "LK1", Title: "t", run: run}}, g, Options{})
	return rep.Findings[0]
}

// A probe passes only by a check that held; everything else says why not.
func TestStatus(t *testing.T) {
	g := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		run    func(*T)
		want   Status
		reason string
	}{
		{"held", t.Context(), func(t *T) { t.Check(true, "") }, Pass, ""},
		{"did nothing", t.Context(), func(*T) {}, Skip, "it checked nothing"},
		{"skipped after it held", t.Context(), func(t *T) { t.Check(true, ""); t.Skip("half of it") }, Skip, "half of it"},
		{"failed, went on, and held", t.Context(), func(t *T) { t.Fail("one"); t.Check(true, ""); t.Fail("two") }, Fail, "one\ntwo"},
		{"failed, then skipped", t.Context(), func(t *T) { t.Fail("one"); t.Skip("the rest") }, Fail, "one\nnot carried to its end: the rest"},
		{"stopped without a check", t.Context(), func(t *T) { t.Stop() }, Skip, "it checked nothing"},
		{"broke", t.Context(), func(t *T) { t.Check(true, ""); panic("on purpose") }, Skip, "the probe itself broke"},
		{"held after a burst that was none", t.Context(), func(t *T) { t.Check(true, ""); t.wide = true }, Skip, "too slowly to count as simultaneous"},
		{"failed after a burst that was none", t.Context(), func(t *T) { t.Fail("one"); t.wide = true }, Fail, "one"},
		{"interrupted", interrupted, func(t *T) { t.Check(true, "") }, Skip, "interrupted"},
		{"got another status", t.Context(), func(t *T) { t.Want(t.Send(Request{Path: "/x"}), 200) }, Fail, "[1] GET /x: got 418, want 200"},
		{"an unknown operation", t.Context(), func(t *T) { t.Do("logn", t.plain(), "", nil) }, Skip, `no operation "logn"`},
		{"too few addresses", t.Context(), func(t *T) { t.Addresses(3) }, Skip, "3 client addresses"},
		{"no accounts", t.Context(), func(t *T) { t.Account() }, Skip, "test accounts"},
	} {
		f := one(t, g, c.ctx, c.run)
		if f.Status != c.want || !strings.Contains(f.Reason, c.reason) {
			t.Errorf("%s: got %v %q, want %v %q", c.name, f.Status, f.Reason, c.want, c.reason)
		}
	}
}

// No answer is no 200, and no verdict of the server's either.
func TestNoAnswer(t *testing.T) {
	g := server(t, func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	f := one(t, g, t.Context(), func(t *T) { t.Want(t.Send(Request{Path: "/x"}), 200) })
	if f.Status != Fail || !strings.Contains(f.Reason, "no answer") {
		t.Errorf("got %v %q", f.Status, f.Reason)
	}
}

// What is secret by its name, its place or because somebody said so is in no
// part of a finding.
func TestSecretsAreRedacted(t *testing.T) {
	const password, access, code = "Hunter2-is-long", "eyJ.secret.token-text", "493817"
	g := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "sid=cookie-value-1%2F2; Path=/")
		w.Header().Set("X-Echo", password)
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": access, "code": code, "recovery_codes": []string{"aaaa-bbbb"}, "detail": "you sent " + password, "cookies": "cookie-value-1/2, " + r.Header.Get("Cookie"), "at": "/x?token=query-value-1", "be": "stays", "kind": "locked_out"})
	})
	var all []Finding
	all = append(all, one(t, g, t.Context(), func(t *T) {
		t.run.secrets.add(password)
		h := http.Header{"Authorization": {"Bearer bearer-value-1"}, "Content-Type": {"application/json"}, "Cookie": {"a=sent-value-1"}}
		a := t.Send(Request{Method: "POST", Path: "/x?token=query-value-1", Header: h, Body: []byte(`{"password":"other-value-1","code":"` + code + `","new_password":"quote\"d-value-1"}`)})
		t.Note("seen %s", password)
		t.Fail("it echoes %s", a.Body[:0])
		t.Fail("it echoes %s", password)
	}))
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{password, access, code, "bearer-value-1", "cookie-value-1", "sent-value-1", "other-value-1", "query-value-1", "d-value-1", "aaaa-bbbb"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q stands in the finding: %s", secret, text)
		}
	}
	if !strings.Contains(string(text), "locked_out") || !strings.Contains(string(text), "stays") {
		t.Errorf("what is no secret is redacted too: %s", text)
	}
}

// A transcript keeps how a sequence began and how it ended.
func TestTranscriptKeepsBothEnds(t *testing.T) {
	g := server(t, func(w http.ResponseWriter, _ *http.Request) {})
	f := one(t, g, t.Context(), func(t *T) {
		for range 200 {
			t.Send(Request{Path: "/x"})
		}
		t.Check(true, "")
	})
	n := len(f.Transcript)
	if n != keepFirst+keepLast || f.Omitted != 200-n || f.Transcript[0].N != 1 || f.Transcript[n-1].N != 200 || f.Transcript[keepFirst].N != 200-keepLast+1 {
		t.Errorf("got %d entries, %d omitted, first %d, last %d", n, f.Omitted, f.Transcript[0].N, f.Transcript[n-1].N)
	}
}

func TestReportAsJSON(t *testing.T) {
	g := server(t, func(w http.ResponseWriter, _ *http.Request) {})
	rep := Run(t.Context(), []Probe{{ID: "LK1", Title: "t", run: func(t *T) { t.Want(t.Send(Request{Path: "/x"}), 200) }}}, g, Options{})
	text, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(text) {
		t.Errorf("got %s after a round, want %s (%v)", again, text, err)
	}
	if !strings.Contains(string(text), `"status":"PASS"`) || !strings.Contains(string(text), `"class":"safe"`) {
		t.Errorf("got %s", text)
	}
}

// Whatever surrounds it, a registered secret is nowhere in what was redacted.
func FuzzRedact(f *testing.F) {
	f.Add("Hunter2-is-long", `{"password":"Hunter2-is-long","x":"Hunter2-is-long`)
	f.Add("abcdef", "abcabcdefdef")
	f.Add("redacted", "[redacted]")
	f.Fuzz(func(t *testing.T, secret, text string) {
		var s secrets
		s.add(secret)
		for part := range strings.SplitSeq(s.redact(text), redact.Mark) {
			if len(secret) >= 6 && strings.Contains(part, secret) {
				t.Errorf("%q stands in %q", secret, part)
			}
		}
	})
}
