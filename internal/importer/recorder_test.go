package importer_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vitals/internal/importer"
)

// What a flag says is checked before anything is recorded, and a recorder records no recorder.
func TestWhatIsCheckedBeforeRecording(t *testing.T) {
	free := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}
	own := free()
	_, port, _ := net.SplitHostPort(own) // it has one
	for _, c := range []struct {
		o    importer.Request
		want string
	}{
		{importer.Request{Record: "http://127.0.0.1:1", Limit: "be gentle"}, `no count and time were found in "be gentle"`},
		{importer.Request{Record: "http://127.0.0.1:1", Limit: "1 request per second, burst 20"}, "a burst is spoken of"},
		{importer.Request{Record: "http://127.0.0.1:1?key=x"}, "no query or fragment"},
		{importer.Request{Record: "http://127.0.0.1:1/#x"}, "no query or fragment"},
		{importer.Request{Record: "http://127.0.0.1:70000"}, "there is no port 70000: want 1 to 65535"},
		{importer.Request{Record: "http://" + own, Listen: own}, "the recorder itself would listen there"},
		{importer.Request{Record: "http://localhost:" + port, Listen: own}, "the recorder itself would listen there"},
		{importer.Request{Record: "http://" + own, Listen: ":" + port}, "the recorder itself would listen there"},
	} {
		if c.o.Dir = t.TempDir(); c.o.Listen == "" {
			c.o.Listen = "127.0.0.1:0"
		}
		done := make(chan error, 1)
		go func() { done <- importer.Init(t.Context(), c.o, nil, io.Discard, io.Discard) }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v: got %v, want %q", c.o, err, c.want)
			}
		case <-time.After(3 * time.Second):
			t.Errorf("%+v: it records, want %q", c.o, c.want)
		}
	}
}

// A limit that is on nothing loses no recording.
func TestALimitThatIsNotUsed(t *testing.T) {
	api, dir := shopAPI(t), t.TempDir()
	said, err := recorded(t, importer.Request{Record: api.URL, Dir: dir, Limit: "5 failed attempts per minute per IP"}, func(at string) {
		send(t, "GET", at+"/orders", "Token 5f1e8a0c77d24be6", "")
	})
	if _, missing := os.Stat(filepath.Join(dir, "profile.yaml")); err != nil || missing != nil || !strings.Contains(said, "--limit was not used: nothing in the recording signs in") {
		t.Errorf("got %v, %v\n%s", err, missing, said)
	}
}

// The screen may be shared: tokens in paths are not shown, ordinary names and ids are.
func TestPathsOnTheScreen(t *testing.T) {
	api, dir := shopAPI(t), t.TempDir()
	said, err := recorded(t, importer.Request{Record: api.URL, Dir: dir}, func(at string) {
		for _, path := range []string{"/health", "/reset/eyJhbGciOi.x", "/reset/9f86d081884c7d659a2feaa0c55ad015", "/orders/o-2342", "/a/international-organisations"} {
			send(t, "GET", at+path, "Token 5f1e8a0c77d24be6", "")
		}
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, shown := range []string{"GET /health: 200", "GET /reset/…: 404", "GET /orders/o-2342: 200", "GET /a/international-organisations: 404"} {
		if !strings.Contains(said, shown) {
			t.Errorf("want %q\n%s", shown, said)
		}
	}
	for _, secret := range []string{"eyJ", "9f86"} {
		if strings.Contains(said, secret) {
			t.Errorf("%q was shown\n%s", secret, said)
		}
	}
}

// The recorder adds the base path of the API, so what leads back must be without it.
func TestABasePath(t *testing.T) {
	var where, path string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path = r.URL.Path; path == "/base/go" {
			w.Header().Set("Location", strings.ReplaceAll(where, "HOST", r.Host))
			w.Header().Set("Set-Cookie", "seen=yes; Path=/base")
			w.WriteHeader(http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true}`) // the client sees a short answer
	}))
	defer api.Close()
	said, err := recorded(t, importer.Request{Record: api.URL + "/base/", Dir: t.TempDir()}, func(at string) {
		for location, want := range map[string]string{
			"/base/docs": "/docs", "/base/docs?a=b#c": "/docs?a=b#c", "http://HOST/base/docs": "/docs", "http://HOST/base": "/",
			"/other": api.URL + "/other", "/baseless": api.URL + "/baseless", "docs": "docs", "http://HOST0/base/docs": api.URL + "0/base/docs",
			"https://example.org/base/docs": "https://example.org/base/docs",
		} {
			where = location
			res, _ := send(t, "GET", at+"/go", "", "")
			if got := res.Header.Get("Location"); got != want {
				t.Errorf("Location %s: got %s, want %s", location, got, want)
			}
			if got := res.Header.Get("Set-Cookie"); got != "seen=yes; Path=/" {
				t.Errorf("Set-Cookie: got %q", got)
			}
		}
		if send(t, "GET", at+"/docs", "", ""); path != "/base/docs" {
			t.Errorf("the API got %s", path)
		}
	})
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

// A terminal that is closed ends a recording as Ctrl-C does.
func TestAClosedTerminalEndsARecording(t *testing.T) {
	api, dir := shopAPI(t), t.TempDir()
	said, err := recorded(t, importer.Request{Record: api.URL, Dir: dir}, func(at string) {
		send(t, "GET", at+"/health", "", "")
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for range 300 { // until it has written
			if _, err := os.Stat(filepath.Join(dir, "accounts.csv")); err == nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Error("it records on")
	})
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
