package load

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"

	"vitals/internal/measure"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// seen is a request as a server saw it.
type seen struct {
	host, path, body string
	header           http.Header
}

// asked runs one turn of the steps, read as vitals reads them, against a server
// over http and over https, and gives what each saw and what the run kept of it.
// Head stands above the journeys, for accounts and the like.
func asked(t *testing.T, head, steps string, answer http.HandlerFunc, check func(t *testing.T, got []seen, f measure.Finished)) {
	t.Helper()
	askedOf(t, head, steps, answer, nil, check)
}

// askedOf is asked with one who watches every answer.
func askedOf(t *testing.T, head, steps string, answer http.HandlerFunc, watch func(*wire.Seen), check func(t *testing.T, got []seen, f measure.Finished)) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "asked.yaml")
	text := "name: asked\nusers: 1\nrun_for: 5m\n" + head + "\njourneys:\n  - name: j\n    think: 10m\n    steps:\n" + steps
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			var mu sync.Mutex
			var got []seen
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				mu.Lock()
				got = append(got, seen{r.Host, r.RequestURI, string(body), r.Header})
				mu.Unlock()
				answer(w, r)
			})
			s := httptest.NewUnstartedServer(h)
			opt := Options{Accounts: []Account{{"o'neil+t@x.test", "pass word"}}, Seed: 7, Seen: watch}
			if scheme == "https" {
				s.EnableHTTP2 = true
				s.StartTLS()
				roots := x509.NewCertPool()
				roots.AddCert(s.Certificate())
				opt.TLS = &tls.Config{RootCAs: roots}
			} else {
				s.Start()
			}
			defer s.Close()
			opt.Base, _ = url.Parse(s.URL)
			rec := record(sc)
			once(t, sc, rec, opt)
			mu.Lock()
			defer mu.Unlock()
			check(t, got, rec.Finish())
		})
	}
}

// once lets one user make one visit, however long it takes on this machine.
func once(t *testing.T, sc *scenarios.Scenario, rec *measure.Recorder, opt Options) {
	t.Helper()
	r, err := newRun(sc, rec, opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	r.cancel = cancel
	go func() { // the visit has begun, and is over
		for r.peak.Load() == 0 || r.busy.Load() > 0 {
			if !sleep(ctx, time.Millisecond) {
				return
			}
		}
		cancel(nil)
	}()
	if err := r.execute(ctx, sc); err != nil {
		t.Fatal(err)
	}
}

func fine200(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"token":"tok-12345","ok":true}`)
}

const signedIn = `accounts:
  sign_in: {post: /login, body: {email: "{{email}}", password: "{{password}}"}, save: {token: json:token}}`

// What is sent is what was written, over http and over https alike.
func TestSentAsWritten(t *testing.T) {
	t.Setenv("VITALS_TEST_KEY", "k-secret-1")
	asked(t, signedIn, `
      - {name: vhost, get: /x, header: {Host: api.example.org}}
      - {name: own auth, get: /x, header: {authorization: Basic dXNlcjpwYXNz}}
      - {name: token, get: /x}
      - {name: form, post: /f, header: {Content-Type: application/x-www-form-urlencoded}, body: {user name: "{{email}}", password: "a&b {{seq}}", n: [1, 2]}}
      - {name: numbers, post: /n, body: {dec: 1.10, big: 12345678901234567890123, n: {{int 3 3}}, s: "{{int 3 3}}", list: [{q: {{pick 5|5}}}], w: {{pick a b|a b}}, none: null, no: false}}
      - {name: as text, post: /t, body: '{"n": {{int 4 4}}, "s": "\"{{int 4 4}}"}'}
      - {name: key, get: "/k?key={{env VITALS_TEST_KEY}}", header: {X-Key: "{{ env VITALS_TEST_KEY }}"}}
      - {name: wide, get: "/w?id={{int -9223372036854775808 9223372036854775807}}&one={{int 9223372036854775807 9223372036854775807}}"}
      - {name: odd, get: "/a%7Cb%2F;c=1/(x)?q=a|b"}
`, fine200, func(t *testing.T, got []seen, _ measure.Finished) {
		if len(got) != 10 {
			t.Fatalf("got %d requests, want a sign-in and nine", len(got))
		}
		vhost, own, token, form, numbers, text, key, wide, odd := got[1], got[2], got[3], got[4], got[5], got[6], got[7], got[8], got[9]
		if vhost.host != "api.example.org" {
			t.Errorf("got Host %q, want the step's", vhost.host)
		}
		if got := own.header["Authorization"]; !slices.Equal(got, []string{"Basic dXNlcjpwYXNz"}) {
			t.Errorf("got Authorization %q, want the step's own alone", got)
		}
		if got := token.header["Authorization"]; !slices.Equal(got, []string{"Bearer tok-12345"}) {
			t.Errorf("got Authorization %q, want the session's", got)
		}
		if form.body != "user+name=o%27neil%2Bt%40x.test&password=a%26b+0&n=1&n=2" {
			t.Errorf("got the form %s", form.body)
		}
		if want := `{"dec":1.10,"big":12345678901234567890123,"n":3,"s":"3","list":[{"q":5}],"w":"a b","none":null,"no":false}`; numbers.body != want {
			t.Errorf("got %s, want %s", numbers.body, want)
		}
		if want := `{"n": 4, "s": "\"4"}`; text.body != want {
			t.Errorf("got %s, want %s", text.body, want)
		}
		if key.path != "/k?key=k-secret-1" || key.header.Get("X-Key") != "k-secret-1" {
			t.Errorf("got %s and %q, want the environment's value", key.path, key.header.Get("X-Key"))
		}
		if !strings.HasSuffix(wide.path, "&one=9223372036854775807") {
			t.Errorf("got %s", wide.path)
		}
		if odd.path != "/a%7Cb%2F;c=1/(x)?q=a|b" {
			t.Errorf("got %s, want it as written", odd.path)
		}
	})
}

// A value from the environment that is not set ends the run before it begins.
func TestEnvironmentMustBeSet(t *testing.T) {
	sc := single(turn(), scenarios.Step{Name: "a", Path: "/{{env VITALS_TEST_UNSET}}"})
	_, err := Run(t.Context(), sc, record(sc), Options{Base: nowhereURL})
	if err == nil || !strings.Contains(err.Error(), "{{env VITALS_TEST_UNSET}}: the environment variable is not set") {
		t.Errorf("got %v", err)
	}
}

func packed(name string, text string) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	switch name {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "raw deflate":
		w, _ = flate.NewWriter(&b, 6)
	case "br":
		w = brotli.NewWriter(&b)
	default:
		return []byte(text)
	}
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

// Compressed answers are looked into, cookies are kept, addresses followed, parts of
// headers saved, and one element of many drawn.
func TestAnswersAreUnderstood(t *testing.T) {
	asked(t, "cookies: keep\n"+`accounts:
  sign_in: {post: /login, body: {email: "{{email}}"}}`, `
      - {name: gzip, get: /gzip, expect: {json: {ok: true, none: ""}}, save: {a: json:items.0.id}}
      - {name: deflate, get: /deflate, expect: {body: items}, save: {b: json:items.1.id}}
      - {name: raw, get: /raw%20deflate, expect: {json: {items.1.id: 2}}}
      - {name: br, get: /br, save: {c: json:items.*.id}}
      - {name: made, post: /made?q=1, body: {a: "{{a}}", b: "{{b}}", c: "{{c}}"}, expect: {status: 201}, save: {id: 'header:Location regexp:orders/(\d+)', sid: cookie:sid}}
      - {name: followed, follow: Location}
      - {name: used, get: "/used/{{id}}/{{sid}}"}
      - {name: nobody, get: /used, anonymous: true}
      - {name: own, get: /used, header: {Cookie: mine=1}}
      - {name: quick, get: /used, expect: {max: 30s}}
`, func(w http.ResponseWriter, r *http.Request) {
		kind := strings.TrimPrefix(r.URL.Path, "/")
		switch kind {
		case "login":
			http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark", Path: "/"})
			http.SetCookie(w, &http.Cookie{Name: "user", Value: "u1", Path: "/", HttpOnly: true})
		case "made":
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s-99", Path: "/"})
			http.SetCookie(w, &http.Cookie{Name: "theme", Path: "/", MaxAge: -1})
			w.Header().Set("Location", "../orders/17?full=1")
			w.WriteHeader(201)
		case "gzip", "deflate", "raw deflate", "br":
			w.Header().Set("Content-Encoding", strings.TrimPrefix(kind, "raw "))
		}
		_, _ = w.Write(packed(kind, `{"ok":true,"none":"","items":[{"id":1},{"id":2}]}`))
	}, func(t *testing.T, got []seen, f measure.Finished) {
		for _, s := range f.Phases[0].Steps {
			if s.Counts.Served != 1 {
				t.Errorf("%s: got %+v, want it served", s.Step.Name, s.Counts)
			}
		}
		for _, e := range f.Slowest {
			t.Logf("%s %s %s %s", e.Step, e.At, e.Service, e.Response)
		}
		for _, e := range f.Failures {
			t.Errorf("%s: %s: %s", e.Step, e.Why, e.Body)
		}
		if len(got) != 11 {
			t.Fatalf("got %d requests, want a sign-in and ten", len(got))
		}
		if b := got[5].body; b != `{"a":"1","b":"2","c":"1"}` && b != `{"a":"1","b":"2","c":"2"}` {
			t.Errorf("got %s from the answers", b)
		}
		if got[6].path != "/orders/17?full=1" || got[7].path != "/used/17/s-99" {
			t.Errorf("got %s and %s, want Location followed, its number and the cookie saved", got[6].path, got[7].path)
		}
		for i, want := range map[int]string{0: "", 1: "theme=dark; user=u1", 5: "theme=dark; user=u1", 7: "user=u1; sid=s-99", 8: "", 9: "mine=1"} {
			if cookies := got[i].header["Cookie"]; strings.Join(cookies, " | ") != want {
				t.Errorf("request %d: got the cookies %q, want %q", i, cookies, want)
			}
		}
	})
}

// What went wrong is told: what was expected, what came, which names are there; and
// no secret with it.
func TestFailuresSayWhy(t *testing.T) {
	t.Setenv("VITALS_TEST_KEY", "k-secret-1")
	long := strings.Repeat("x", 2<<20)
	for _, tt := range []struct {
		step   string
		status int
		header http.Header
		answer string
		class  measure.Class
		why    string
		body   string
	}{
		{`post: /x, expect: {status: 201}`, 422, nil, `{"error":"qty must be a number"}`, measure.BadStatus, "want 201, got 422", `{"error":"qty must be a number"}`},
		{`get: /x`, 500, nil, "boom\n\n  at line 1", measure.BadStatus, "want any 2xx, got 500", "boom at line 1"},
		{`get: /x, expect: {json: {meta.size: 20}}`, 200, nil, `{"data":[],"meta":{"page":1}}`, measure.BadCheck,
			"json meta.size: want 20, but meta.size is not in the answer: no size in meta (it has: page)", `{"data":[],"meta":{"page":1}}`},
		{`get: /x, expect: {json: {meta.size: 20}}`, 200, nil, `{"meta":{"size":10}}`, measure.BadCheck, "json meta.size: want 20, got 10", `{"meta":{"size":10}}`},
		{`get: /x, expect: {json: {n: "20"}}`, 200, nil, `{"n":20}`, measure.BadCheck, `json n: want the text "20", got the number 20`, `{"n":20}`},
		{`get: /x, expect: {json: {n: 20}}`, 200, nil, `{"n":"20"}`, measure.BadCheck, `json n: want the number 20, got the text "20"`, `{"n":"20"}`},
		{`get: /x, expect: {json: {n: "true"}}`, 200, nil, `{"n":true}`, measure.BadCheck, `json n: want the text "true", got the boolean true`, `{"n":true}`},
		{`get: /x, expect: {json: {n: false}}`, 200, nil, `{"n":"false"}`, measure.BadCheck, `json n: want the boolean false, got the text "false"`, `{"n":"false"}`},
		{`get: /x, expect: {json: {n: ok}}`, 200, nil, `{"n":null}`, measure.BadCheck, `json n: want the text "ok", got null`, `{"n":null}`},
		{`get: /x, expect: {json: {n: 9007199254740992}}`, 200, nil, `{"n":9007199254740993}`, measure.BadCheck, `json n: want 9007199254740992, got 9007199254740993`, `{"n":9007199254740993}`},
		{`get: /x, expect: {json: {error: ""}}`, 200, nil, `{"error":"boom"}`, measure.BadCheck, "json error: want an empty text, got boom", `{"error":"boom"}`},
		{`get: /x, expect: {header: {X-Error: ""}}`, 200, http.Header{"X-Error": {"boom"}}, `{}`, measure.BadCheck, `header X-Error: want "", got "boom"`, `{}`},
		{`get: /x, expect: {body: hello}`, 200, nil, `bye`, measure.BadCheck, `body: want it to contain "hello"`, `bye`},
		{`get: /x, save: {a: json:data.access_token}`, 200, nil, `{"access_token":"abcdef","kind":"bearer"}`, measure.BadCapture,
			"json data.access_token is not in the answer: no data in the answer (it has: access_token, kind)", `{"access_token":[redacted],"kind":"bearer"}`},
		{`get: /x, save: {a: json:items.3.id}`, 200, nil, `{"items":[{"id":1}]}`, measure.BadCapture, "json items.3.id is not in the answer: items has 1 elements", `{"items":[{"id":1}]}`},
		{`get: /x, save: {a: json:items.*.id}`, 200, nil, `{"items":[]}`, measure.BadCapture, "json items.*.id is not in the answer: items is an empty list", `{"items":[]}`},
		{`get: /x, save: {a: json:id}`, 200, nil, `<html>`, measure.BadCapture, "json id is not in the answer, which is not JSON", `<html>`},
		{`get: /x, save: {a: cookie:sid}`, 200, http.Header{"Set-Cookie": {"theme=dark"}}, `{}`, measure.BadCapture, "cookie sid is not set by the answer (it sets: theme)", `{}`},
		{`get: /x, expect: {json: {ok: true}}`, 200, http.Header{"Content-Encoding": {"zstd"}}, `xyz`, measure.Encoding,
			"Content-Encoding zstd cannot be read: send Accept-Encoding without it", `xyz`},
		{`get: /x, expect: {json: {ok: true}}`, 200, http.Header{"Content-Encoding": {"gzip"}}, `xyz`, measure.Encoding, "Content-Encoding gzip: unexpected EOF", `xyz`},
		{`get: /x, save: {a: json:end}`, 200, nil, `{"long":"` + long + `","end":1}`, measure.TooLong,
			"json end was not found in the first 1024 KiB of an answer of 2097171 bytes, and no more is looked at", `{"long":"` + long[:191] + "…"},
		{`get: "/x?k={{env VITALS_TEST_KEY}}", expect: {status: 201}`, 400, nil,
			`{"password":"hunter2","sent":"k-secret-1","jwt":"eyJhbGciOi.eyJzdWIi.sig","note":"Bearer abcdefgh","q":"token=abc&x=1"}`, measure.BadStatus, "want 201, got 400",
			`{"password":[redacted],"sent":"[redacted]","jwt":"[redacted]","note":"Bearer [redacted]","q":"token=[redacted]&x=1"}`},
		// What the scenario looks for is the user's own text, however much it looks like a secret.
		{`get: /x, expect: {body: "password=wrong"}`, 200, nil, `password=hunter2`, measure.BadCheck, `body: want it to contain "password=wrong"`, `password=[redacted]`},
		{`get: /x, save: {a: 'header:Location regexp:orders/(\d+)$'}`, 201, http.Header{"Location": {"/orders/7f0c-aa11"}}, `{}`, measure.BadCapture, `header:Location regexp:orders/(\d+)$ is not in the header's value "/orders/7f0c-aa11"`, `{}`},
		{`get: /x, save: {a: 'header:X-Token regexp:(\d+)$'}`, 200, http.Header{"X-Token": {"hunter-x"}}, `{}`, measure.BadCapture, `header:X-Token regexp:(\d+)$ is not in the header's value`, `{}`},
		{`get: /x, save: {a: 'regexp:csrf_token=(\w+)'}`, 200, nil, `none`, measure.BadCapture, `regexp:csrf_token=(\w+) is not in the answer`, `none`},
		{`get: /x, expect: {header: {X-Auth: Bearer abcdefgh}}`, 200, http.Header{"X-Auth": {"Bearer ijklmnop"}}, `{}`, measure.BadCheck, `header X-Auth: want "Bearer abcdefgh", got "Bearer [redacted]"`, `{}`},
		{`get: /x`, 302, http.Header{"Location": {"/sign-in?token=abc"}}, ``, measure.BadStatus, "want any 2xx, got 302 to /sign-in?token=[redacted]", ``},
		{`get: /x, expect: {header: {X-Token: a}}`, 200, http.Header{"X-Token": {"hunter2"}}, `{}`, measure.BadCheck, `header X-Token: want "a", got "[redacted]"`, `{}`},
	} {
		asked(t, "", fmt.Sprintf("      - {name: it, anonymous: true, %s}\n", tt.step), func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range tt.header {
				w.Header()[name] = values
			}
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.answer)
		}, func(t *testing.T, _ []seen, f measure.Finished) {
			if len(f.Failures) != 1 {
				t.Fatalf("%s: got %d failures, want one", tt.step, len(f.Failures))
			}
			if e := f.Failures[0]; e.Class != tt.class.String() || e.Why != tt.why || e.Body != tt.body || e.Code != tt.status {
				t.Errorf("%s:\ngot  %s: %s\n     %s\nwant %s: %s\n     %s", tt.step, e.Class, e.Why, e.Body, tt.class, tt.why, tt.body)
			}
		})
	}
}

// A number is the same however it is written, a text whatever its escapes; and what the
// visit saved is what a later answer is held against.
func TestWhatIsExpectedIsFound(t *testing.T) {
	asked(t, "", `      - {name: a, get: /x, anonymous: true, save: {id: "json:id", ref: "json:ref"}}
      - name: b
        get: /x
        anonymous: true
        expect: {json: {id: "{{id}}", f: 20, e: 20, z: -0.0, s: "20", u: café, yes: true, date: 2026-01-02, l: [1, {a: b}], none: null, empty: ""}, body: '"id":{{id}},', header: {X-Ref: "a-{{ref}}"}}
`, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Ref", "a-r/1")
		_, _ = io.WriteString(w, `{"id":17,"ref":"r\/1","f":20.0,"e":2e1,"z":0,"s":"20","u":"caf\u00e9","yes":true,"date":"2026-01-02","l":[1.0,{"a":"b"}],"none":null,"empty":""}`)
	}, func(t *testing.T, got []seen, f measure.Finished) {
		for _, e := range f.Failures {
			t.Errorf("%s: %s", e.Step, e.Why)
		}
		if len(got) != 2 {
			t.Errorf("got %d requests, want 2", len(got))
		}
	})
	n := 0
	asked(t, "", "      - {name: a, get: /x, anonymous: true, save: {id: json:id}}\n      - {name: b, get: /x, anonymous: true, expect: {json: {id: '{{id}}'}}}\n",
		func(w http.ResponseWriter, _ *http.Request) {
			n++
			_, _ = fmt.Fprintf(w, `{"id":%d}`, n)
		}, func(t *testing.T, _ []seen, f measure.Finished) {
			if len(f.Failures) != 1 || f.Failures[0].Why != fmt.Sprintf("json id: want %d, got %d", n-1, n) {
				t.Errorf("got %+v, want the other value told", f.Failures)
			}
		})
}

// Within 1 MiB a long answer is looked into like any other, packed or not.
func TestLongAnswersAreUnderstood(t *testing.T) {
	text := `{"long":"` + strings.Repeat("y", 900<<10) + `","end":1}`
	asked(t, "", "      - {name: it, get: /x, anonymous: true, save: {a: json:end}}\n      - {name: zip, get: /zip, anonymous: true, save: {b: json:end}}\n",
		func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/zip" {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(packed("gzip", text))
				return
			}
			_, _ = io.WriteString(w, text)
		}, func(t *testing.T, _ []seen, f measure.Finished) {
			for _, e := range f.Failures {
				t.Errorf("%s: %s", e.Step, e.Why)
			}
		})
}

// An error before the load says what is missing, and never what was sent.
func TestSignInTroubleIsNamed(t *testing.T) {
	sc, err := scenarios.Read(strings.NewReader(`
name: a
users: 3
run_for: 1s
sign_in: before
accounts:
  sign_in: {post: /login, body: {email: "{{email}}", password: "{{password}}"}, save: {token: json:data.access_token}}
journeys: [{name: j, steps: [{name: s, get: /x}]}]
`), "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	base, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"abc-123-def"}`)
	})
	o, err := Run(t.Context(), sc, record(sc), Options{Base: base, Accounts: accounts(3)})
	if err != nil || !strings.Contains(o.EndedEarly, "before the load: json data.access_token is not in the answer: no data in the answer (it has: access_token)") ||
		strings.Contains(o.EndedEarly, "abc-123") || o.EndedBy != measure.NoSignIn || o.Took != 0 || !o.Partial {
		t.Errorf("got %v, %+v", err, o)
	}
}

// Too few accounts are refused before anything is sent, and an end for want of them
// says what became of each.
func TestTooFewAccounts(t *testing.T) {
	c := newClinic(t, &clinic{})
	for _, tt := range []struct {
		users, share, have int
		want               string
	}{
		{3, 1, 1, "3 users need 3 accounts; there are 1"},
		{9, 4, 2, "9 users need 3 accounts, 4 to one; there are 2"},
		{3, 1, 3, ""},
	} {
		l := constant(scenarios.Users, float64(tt.users), 50*time.Millisecond)
		l.Share = tt.share
		sc := patients(l, time.Second, 0)
		o, err := Run(t.Context(), sc, record(sc), Options{Base: c.base, Accounts: accounts(tt.have)})
		if err != nil || o.EndedEarly != tt.want || tt.want != "" && o.EndedBy != measure.NoAccount {
			t.Errorf("%+v: got %+v, %v", tt, o, err)
		}
	}
	c = newClinic(t, &clinic{broken: accounts(2)[1].Email})
	sc := patients(constant(scenarios.Users, 2, 2*time.Second), time.Millisecond, 5)
	o, err := Run(t.Context(), sc, record(sc), Options{Base: c.base, Accounts: accounts(2)})
	if want := "no account is left: of 2, 1 could not sign in, 1 "; err != nil || !strings.HasPrefix(o.EndedEarly, want) {
		t.Errorf("got %v, ended %q, want %q", err, o.EndedEarly, want)
	}
	// Signed in before the load, as many as there are do, when each user has one.
	l := constant(scenarios.Users, 3, 50*time.Millisecond)
	l.SignIn = scenarios.Before
	c = newClinic(t, &clinic{})
	sc = patients(l, time.Second, 0)
	if o, err := Run(t.Context(), sc, record(sc), Options{Base: c.base, Accounts: accounts(3)}); err != nil || o.SignedIn != 3 {
		t.Errorf("got %+v, %v, want three signed in", o, err)
	}
}
