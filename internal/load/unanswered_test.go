package load

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
)

// What kept the answer away is told in a person's words, with the bound that was waited
// for and how much came.
func TestWhyNoAnswerCame(t *testing.T) {
	raw := map[string]string{
		"/close": "", "/cut": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n9 of them", "/head": "HTTP/1.1 200 OK\r\nContent-Le",
		"/chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"/hang":  "", "/slow": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n9 of them",
	}
	want := map[string]string{
		"/close": "the server closed the connection without an answer",
		"/cut":   "the connection was closed before the end of the answer: 9 of 100 bytes came",
		"/chunk": "the connection was closed before the end of the answer: 5 bytes came",
		"/head":  "the head of the answer is cut short, or no HTTP/1.1",
		"/hang":  "no answer within 300ms",
		"/slow":  "the answer did not end within 300ms: 9 of 100 bytes came",
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, raw[r.URL.Path])
		if r.URL.Path == "/hang" || r.URL.Path == "/slow" {
			_ = c.(*net.TCPConn).SetReadDeadline(time.Now().Add(5 * time.Second))
			_, _ = c.Read(make([]byte, 1)) // until the other side has enough
		}
	}))
	defer s.Close()
	for path := range raw {
		one := filepath.Join(t.TempDir(), "one.yaml")
		if err := os.WriteFile(one, []byte("name: words\nusers: 1\nrun_for: 5m\ntimeout: 300ms\njourneys:\n  - name: j\n    think: 10m\n    steps:\n      - {name: it, get: "+path+", anonymous: true}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		sc, err := scenarios.Open(one)
		if err != nil {
			t.Fatal(err)
		}
		rec := record(sc)
		opt := Options{Seed: 7}
		opt.Base, _ = url.Parse(s.URL)
		once(t, sc, rec, opt)
		if f := rec.Finish().Failures; len(f) != 1 || f[0].Why != want[path] {
			t.Errorf("%s: got %+v, want %q", path, f, want[path])
		}
	}
}

// Every value that is to be saved and is not there is told at once.
func TestEveryAbsentValueIsTold(t *testing.T) {
	asked(t, "", "      - {name: it, get: /x, anonymous: true, save: {a: json:id, b: cookie:sid, c: json:here, d: header:X-Total}}\n",
		func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"here":1}`) },
		func(t *testing.T, _ []seen, f measure.Finished) {
			if len(f.Failures) != 1 {
				t.Fatalf("got %d failures, want one", len(f.Failures))
			}
			for _, want := range []string{"json id is not in the answer: no id", "; ", "cookie sid is not set", "header X-Total is not"} {
				if !strings.Contains(f.Failures[0].Why, want) {
					t.Errorf("got %q, want %q", f.Failures[0].Why, want)
				}
			}
		})
}

// A header that is followed may have what no request line may.
func TestFollowedAddressIsEncoded(t *testing.T) {
	for location, want := range map[string]string{"/sp ace/ü?q=ü": "/sp%20ace/%C3%BC?q=%C3%BC", "/a?q=a b": "/a?q=a%20b", "/a%2Fb?q=%C3%BC&c=[1]": "/a%2Fb?q=%C3%BC&c=[1]"} {
		asked(t, "", "      - {name: made, post: /made, anonymous: true, expect: {status: 201}}\n      - {name: followed, follow: Location, anonymous: true}\n",
			func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/made" {
					w.Header().Set("Location", location)
					w.WriteHeader(201)
				}
			}, func(t *testing.T, got []seen, f measure.Finished) {
				if len(got) != 2 || got[1].path != want {
					t.Errorf("%s: got %+v, want %s", location, got, want)
				}
			})
	}
}
