package importer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/golden"
	"vitals/internal/importer"
)

// shopAPI is an API whose tokens travel under a word of their own, and that refuses with
// statuses of its own.
func shopAPI(t *testing.T) *httptest.Server {
	t.Helper()
	const token = "5f1e8a0c77d24be6"
	mux := http.NewServeMux()
	signed := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Token "+token {
				http.Error(w, `{"error":"who are you?"}`, http.StatusForbidden)
				return
			}
			h(w, r)
		}
	}
	answer := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text) // the client sees a short answer
		}
	}
	mux.HandleFunc("GET /health", answer(200, `{"status":"up"}`))
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); !bytes.Contains(body, []byte("correct horse")) {
			answer(422, `{"error":"no"}`)(w, r)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes", Domain: "example.org", Secure: true})
		answer(200, `{"token":"`+token+`","user":{"id":"u-481516","email":"ann@example.com"}}`)(w, r)
	})
	mux.HandleFunc("GET /users/{id}", signed(answer(200, `{"id":"u-481516","email":"ann@example.com"}`)))
	mux.HandleFunc("GET /orders", signed(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `{"orders":[]}`) // the client sees a broken answer
		_ = z.Close()
	}))
	mux.HandleFunc("POST /orders", signed(answer(201, `{"id":"o-2342","note":"by the door"}`)))
	mux.HandleFunc("GET /orders/{id}", signed(answer(200, `{"id":"o-2342","note":"by the door"}`)))
	mux.HandleFunc("DELETE /orders/{id}", signed(answer(204, "")))
	mux.HandleFunc("GET /old", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+"/health", http.StatusMovedPermanently)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// talkOf is where Init talks; it may be read meanwhile.
type talkOf struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *talkOf) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *talkOf) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// recorded records what use does with the address of the recorder, and gives what Init
// said and its error.
func recorded(t *testing.T, o importer.Request, use func(at string)) (string, error) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	talk, done := &talkOf{}, make(chan error, 1)
	o.Listen = "127.0.0.1:0"
	go func() { done <- importer.Init(ctx, o, nil, talk, talk) }()
	at := ""
	for range 500 {
		if m := regexp.MustCompile(`Send to (http://\S+)`).FindStringSubmatch(talk.String()); m != nil {
			at = m[1]
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if at == "" {
		t.Fatalf("it does not listen:\n%s", talk)
	}
	use(at)
	end()
	err := <-done
	return talk.String(), err
}

// send is one request; token "" = nobody's.
func send(t *testing.T, method, url, token, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	res, err := http.DefaultTransport.RoundTrip(req) // redirects are not followed
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

// What a user does by hand becomes the files: how tokens travel, how the API refuses,
// which object is the user's own, and the limit of one sentence.
func TestARecording(t *testing.T) {
	api, dir := shopAPI(t), t.TempDir()
	const token = "Token 5f1e8a0c77d24be6"
	said, err := recorded(t, importer.Request{Record: api.URL, Dir: dir, Limit: "At most 5 failed attempts per minute per IP"}, func(at string) {
		send(t, "GET", at+"/health", "", "")
		send(t, "POST", at+"/login", "", `{"email":"ann@example.com","password":"wrong guess"}`)
		res, text := send(t, "POST", at+"/login", "", `{"email":"ann@example.com","password":"correct horse"}`)
		if !strings.Contains(text, "5f1e8a0c77d24be6") {
			t.Fatalf("sign in: %s", text)
		}
		if c := res.Header.Get("Set-Cookie"); c != "seen=yes" {
			t.Errorf("cookie: got %q, want one that is good for the recorder", c)
		}
		send(t, "GET", at+"/users/u-481516", token, "")
		send(t, "GET", at+"/users/u-481516", "", "")
		if _, text := send(t, "GET", at+"/orders", token, ""); text != `{"orders":[]}` {
			t.Errorf("orders: got %q", text)
		}
		send(t, "POST", at+"/orders", token, `{"note":"by the door","of":"u-481516"}`)
		send(t, "GET", at+"/orders/o-2342", token, "")
		send(t, "GET", at+"/orders/o-2342", "", "")
		send(t, "DELETE", at+"/orders/o-2342", token, "")
		if res, _ := send(t, "GET", at+"/old", "", ""); res.Header.Get("Location") != "/health" {
			t.Errorf("redirect: got %q, want one that stays with the recorder", res.Header.Get("Location"))
		}
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	files := said + "\n"
	for _, name := range []string{"profile.yaml", "scenario.yaml", "accounts.csv"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files += "---- " + name + "\n" + string(text)
	}
	for _, secret := range []string{"correct horse", "wrong guess", "5f1e8a0c77d24be6", "ann@example.com"} {
		if strings.Contains(files, secret) {
			t.Errorf("%q stands in a file, or was said", secret)
		}
	}
	files = strings.ReplaceAll(strings.ReplaceAll(files, api.URL, "http://127.0.0.1:8000"), dir, "vitals")
	files = regexp.MustCompile(`Send to http://\S+`).ReplaceAllString(files, "Send to http://127.0.0.1:8700")
	golden.Check(t, []byte(files), "golden/recording.txt")
}

func TestARecordingThatFails(t *testing.T) {
	api := shopAPI(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	gone := "http://" + l.Addr().String()
	_ = l.Close() // nobody listens there from now on
	said, err := recorded(t, importer.Request{Record: gone, Dir: t.TempDir()}, func(at string) {
		if res, _ := send(t, "GET", at+"/health", "", ""); res.StatusCode != http.StatusBadGateway {
			t.Errorf("an API that is down: got %d", res.StatusCode)
		}
	})
	if err == nil || !strings.Contains(err.Error(), "nothing was recorded: 1 request came, and "+gone+" gave no answer to any") || !strings.Contains(said, "GET /health: no answer: ") {
		t.Errorf("an API that is down: got %v\n%s", err, said)
	}
	for want, o := range map[string]importer.Request{
		"--from and --record are two sources": {From: "x", Record: api.URL},
		"nothing to start from":               {},
		`--record "127.0.0.1:80"`:             {Record: "127.0.0.1:80"},
		"--listen":                            {Record: api.URL, Listen: "127.0.0.1:99999"},
	} {
		if o.Dir = t.TempDir(); o.Listen == "" {
			o.Listen = "127.0.0.1:0"
		}
		if err := importer.Init(t.Context(), o, nil, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", o, err, want)
		}
	}
}

// A sentence is understood, or refused with one that would be.
func TestALimitInASentence(t *testing.T) {
	source, err := os.ReadFile("testdata/shop.har")
	if err != nil {
		t.Fatal(err)
	}
	for sentence, want := range map[string]string{
		"5 failed attempts in 5 minutes per address, then locked for 15 minutes": "login: {limit: 5, window: 5m, lock: 15m, counts: failures, by: address}",
		"10 requests per minute per IP":                                          "login: {limit: 10, window: 1m, counts: requests, by: address}",
		"Accounts are locked with 423 for 1 hour after 3 wrong passwords":        "login: {limit: 3, lock: 1h, counts: failures, by: account, statuses: [423]}",
		"be gentle": `no count and time were found in "be gentle"`,
	} {
		f, err := importer.Import(source, importer.Options{File: "shop.har", Limit: sentence})
		got := fmt.Sprint(err)
		if err == nil {
			got = f.Profile
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %s\nwant %s", sentence, got, want)
		}
	}
	none, err := os.ReadFile("testdata/only-health.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := importer.Import(none, importer.Options{File: "h", Limit: "5 requests per minute"}); err == nil || !strings.Contains(err.Error(), "nothing in it signs in") {
		t.Errorf("without a sign-in: got %v", err)
	}
}
