package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/profile"
	"vitals/scenarios"
)

// A deployment with an authority of its own, that asks for the client's certificate,
// is loaded; without the files it is not reached.
func TestOwnAuthorityAndClientCertificate(t *testing.T) {
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key := write("client.pem", "CERTIFICATE", der), write("client.key", "PRIVATE KEY", keyDER)

	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	defer s.Close()
	ca := write("ca.pem", "CERTIFICATE", s.Certificate().Raw)
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Read(strings.NewReader("name: a\nusers: 1\nrun_for: 50ms\njourneys: [{name: j, think: 1s, steps: [{name: s, get: /}]}]\n"), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		ca, cert, key string
		served        int64
	}{{ca, cert, key, 1}, {ca, "", "", 0}, {"", cert, key, 0}} {
		conf, err := ReadTLS(tt.ca, tt.cert, tt.key)
		if err != nil {
			t.Fatal(err)
		}
		rec := measure.NewRecorder(load.Steps(sc), sc.Load.Phases(), measure.Options{})
		if _, err := load.Run(t.Context(), sc, rec, load.Options{Base: base, TLS: conf}); err != nil {
			t.Fatal(err)
		}
		f := rec.Finish()
		if got := f.Phases[0].Steps[0].Counts.Served; got != tt.served {
			t.Errorf("%q, %q: got %d served, want %d: %+v", tt.ca, tt.cert, got, tt.served, f.Failures)
		}
	}
	// What is sent once is sent with the same certificates.
	once := options(t, file(t, "once.yaml", "name: a\nusers: 1\nrun_for: 10s\njourneys: [{name: j, steps: [{name: s, get: /, anonymous: true}]}]\n"), "--url", s.URL, "--targets", "none")
	once.CA, once.Cert, once.Key, once.Once = ca, cert, key, true
	p, err := Read(once)
	if err != nil {
		t.Fatal(err)
	}
	var printed strings.Builder
	if err := Once(t.Context(), p, Streams{Out: &printed, Err: &printed}); err != nil || !strings.Contains(printed.String(), "1 request sent, 0 not as expected") {
		t.Errorf("once: got %v and\n%s", err, printed.String())
	}
	for _, bad := range []struct{ ca, cert, key, want string }{
		{"none.pem", "", "", "--ca: open none.pem"}, {key, "", "", "found no certificate"}, {"", cert, "", "go together"}, {"", cert, cert, "--key"},
	} {
		if _, err := ReadTLS(bad.ca, bad.cert, bad.key); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}

func TestSeveralAccountFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.csv": "email,password\na@x.test,one-secret\n", "b.csv": "password,email\ntwo-secret,b@x.test\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadAccounts(filepath.Join(dir, "a.csv") + "," + filepath.Join(dir, "b.csv"))
	if err != nil || len(got) != 2 || got[1].Email != "b@x.test" || got[1].Password != "two-secret" {
		t.Errorf("got %d accounts, %v", len(got), err)
	}
	if _, err := ReadAccounts(filepath.Join(dir, "a.csv") + "," + filepath.Join(dir, "c.csv")); err == nil {
		t.Error("got no error for a file that is not there")
	}
	if _, err := ReadAccounts(filepath.Join(dir, "a.csv") + "," + filepath.Join(dir, "a.csv")); err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("got %v for an account that stands twice", err)
	}
}

// The health check is asked as the profile says: with its query, its method and its
// values, below the base of the URL.
func TestHealthIsAskedAsTheProfileSays(t *testing.T) {
	base, _ := url.Parse("http://127.0.0.1:1/api/")
	for text, want := range map[string]string{
		"{path: /healthz}":                                    "GET http://127.0.0.1:1/api/healthz ",
		"{path: '/healthz?full=1', method: POST}":             "POST http://127.0.0.1:1/api/healthz?full=1 ",
		"{path: '/{{shop}}/up', header: {X-Key: '{{shop}}'}}": "GET http://127.0.0.1:1/api/north/up north",
		"{path: '/{{email}}/up'}":                             "",
	} {
		p, err := profile.Read(strings.NewReader("profile: p\nvalues: {shop: north}\noperations:\n  health: "+text), "p.yaml")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if q := HealthRequest(p, base); q != nil {
			got = q.Method + " " + q.URL.String() + " " + q.Header.Get("X-Key")
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	if HealthRequest(nil, base) != nil {
		t.Error("nothing is asked without a profile")
	}
}
