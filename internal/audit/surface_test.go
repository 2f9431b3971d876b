package audit

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"vitals/internal/profile"
)

// surfaced is what one probe finds of a server, with the evidence by requirement.
func surfaced(t *testing.T, id, address string) (Finding, map[string]Piece) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Read(strings.NewReader("profile: odd\noperations: {health: {path: /up}, login: {method: POST, path: /login, body: {mail: \"{{email}}\"}}}\n"), "odd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := Select(Safe, []string{id})
	if err != nil {
		t.Fatal(err)
	}
	f := Run(t.Context(), chosen, &Target{URL: u, Profile: p, Own: true}, Options{}).Findings[0]
	by := map[string]Piece{}
	for _, piece := range f.Evidence {
		by[strings.TrimPrefix(piece.Requirement, release)] = piece
	}
	return f, by
}

// What fails of a probe fails the requirement that it is about, and no other; what
// neither a promise nor the standard asks is not asked.
func TestOddRequestsByRequirement(t *testing.T) {
	traces := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodTrace:
			sent, _ := httputil.DumpRequest(r, false)
			w.Header().Set("Content-Type", "message/http")
			_, _ = w.Write(sent)
		case r.Method == "BREW":
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer traces.Close()
	f, by := surfaced(t, "SH2", traces.URL)
	if f.Status != Advice || len(by["13.4.4"].Failed) != 2 || len(by["4.1.4"].Failed) != 1 || len(by["4.2.1"].Failed) != 0 || by["4.2.1"].Checks == 0 {
		t.Errorf("TRACE: got %v %+v\n%s", f.Status, by, f.Reason)
	}
	for _, unasked := range []string{"70 kB", "40 kB", "415", "405"} {
		if strings.Contains(f.Reason, unasked) {
			t.Errorf("nobody promised %s: %s", unasked, f.Reason)
		}
	}
	// net/http answers a method without a route with 404, and goes by the chunks.
	mux := http.NewServeMux()
	mux.HandleFunc("GET /up", func(http.ResponseWriter, *http.Request) {})
	sound := httptest.NewServer(mux)
	defer sound.Close()
	if f, _ := surfaced(t, "SH2", sound.URL); f.Status != Pass {
		t.Errorf("sound: got %v\n%s", f.Status, f.Reason)
	}
}

// believes is a server that goes by Content-Length beside chunks.
func believes(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for r := bufio.NewReader(conn); ; {
				line, err := r.ReadString('\n')
				length := 0
				if err != nil {
					return
				}
				for {
					h, err := r.ReadString('\n')
					if err != nil || strings.TrimSpace(h) == "" {
						break
					}
					if n, ok := strings.CutPrefix(strings.ToLower(h), "content-length: "); ok {
						length = int(strings.TrimSpace(n)[0] - '0')
					}
				}
				_, _ = r.Discard(length)
				if !strings.Contains(line, "HTTP/1.1") {
					_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
					return
				}
				_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			}
		}()
	}
}

// A length that is believed beside chunks fails the requirement on boundaries.
func TestLengthBesideChunks(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go believes(l)
	f, by := surfaced(t, "SH2", "http://"+l.Addr().String())
	if len(by["4.2.1"].Failed) == 0 || !strings.Contains(f.Reason, "the length was believed beside the chunks") || len(by["13.4.4"].Failed) != 0 {
		t.Errorf("got %v %+v\n%s", f.Status, by, f.Reason)
	}
}

// Whoever is not signed in is redirected to one form, which is none of the paths; what is
// served beside it, or redirected elsewhere, is.
func TestARedirectToAFormServesNoStrayPath(t *testing.T) {
	for _, absolute := range []bool{false, true} {
		var asked atomic.Int64
		form := func(w http.ResponseWriter, r *http.Request, to string) {
			if absolute {
				to = "http://" + r.Host + to
			}
			http.Redirect(w, r, to, http.StatusFound)
		}
		guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch n := asked.Add(1); r.URL.Path {
			case "/up":
			case "/login":
				fmt.Fprintf(w, "<form><input name=csrf value=%d>", n)
			default:
				form(w, r, "/login?next="+url.QueryEscape(r.URL.Path))
			}
		})
		s := httptest.NewServer(guarded)
		defer s.Close()
		if f, _ := surfaced(t, "SH3", s.URL); f.Status != Pass {
			t.Errorf("absolute %v: got %v, want PASS:\n%s", absolute, f.Status, f.Reason)
		}
		leaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/.env":
				fmt.Fprint(w, "KEY=1")
			case "/metrics":
				http.Redirect(w, r, "/metrics/", http.StatusFound)
			case "/metrics/":
				fmt.Fprint(w, "up 1")
			default:
				guarded(w, r)
			}
		}))
		defer leaky.Close()
		f, by := surfaced(t, "SH3", leaky.URL)
		if f.Status != Advice || len(by["13.4.7"].Failed) != 1 || len(by["13.4.5"].Failed) != 1 || len(by["13.4.1"].Failed) != 0 {
			t.Errorf("absolute %v, with a file and metrics served: got %v\n%s", absolute, f.Status, f.Reason)
		}
	}
}

// Each stray path is evidence of the requirement that is about it.
func TestStrayPathsByRequirement(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.git/HEAD" && r.URL.Path != "/up" {
			w.WriteHeader(http.StatusUnauthorized) // it tells nothing to whoever is not signed in
		}
	}))
	defer s.Close()
	f, by := surfaced(t, "SH3", s.URL)
	if f.Status != Advice || len(by["13.4.1"].Failed) != 1 || len(by["13.4.5"].Failed) != 0 || by["13.4.5"].Checks == 0 {
		t.Errorf("got %v %+v\n%s", f.Status, by, f.Reason)
	}
}
