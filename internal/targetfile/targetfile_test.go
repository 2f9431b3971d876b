package targetfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitals/internal/targetfile"
)

const wellFormed = `# what a shop is asked
GET http://127.0.0.1:8000/goods?page=1
Accept: application/json
Host: shop.example

POST http://127.0.0.1:8000/goods
Content-Type: application/json
X-Tag: a
X-Tag: b
@BODY

GET http://127.0.0.1:8000/goods?page=2
GET http://127.0.0.1:8000/goods?page=2
`

const wellFormedJSON = `{"method":"GET","url":"http://127.0.0.1:8000/goods?page=1","header":{"Accept":["application/json"],"Host":["shop.example"]}}
{"method":"POST","url":"http://127.0.0.1:8000/goods","body":"eyJuYW1lIjoiYSBcInRhYlx0In0=","header":{"Content-Type":["application/json"],"X-Tag":["a","b"]}}

{"method":"GET","url":"http://127.0.0.1:8000/goods?page=2"}
{"method":"GET","url":"http://127.0.0.1:8000/goods?page=2"}
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Both formats become the same scenario: every request with its headers and its body,
// and as often as it stands in the file.
func TestRead(t *testing.T) {
	body := write(t, "body.json", `{"name":"a \"tab\t"}`)
	for name, text := range map[string]string{"shop.txt": strings.ReplaceAll(wellFormed, "BODY", body), "shop.json": wellFormedJSON} {
		file := write(t, name, text)
		if !targetfile.Is(file) {
			t.Errorf("%s: not taken for targets", name)
		}
		sc, base, err := targetfile.Read(file, "50/s", "10s")
		if err != nil {
			t.Fatal(err)
		}
		if sc.Name != "shop" || base.String() != "http://127.0.0.1:8000" || sc.Load.Peak() != 50 || sc.Load.Total() != 10*time.Second {
			t.Errorf("%s: got %q at %v: %v/s for %v", name, sc.Name, base, sc.Load.Peak(), sc.Load.Total())
		}
		tasks := sc.Journeys[0].Tasks
		if len(tasks) != 3 || tasks[0].Weight != 1 || tasks[2].Weight != 2 {
			t.Fatalf("%s: got %+v, want three tasks, the last twice", name, tasks)
		}
		get, post, page := tasks[0].Steps[0], tasks[1].Steps[0], tasks[2].Steps[0]
		if get.Name != "GET /goods" || get.Path != "/goods?page=1" || get.Header["Accept"] != "application/json" || get.Header["Host"] != "shop.example" {
			t.Errorf("%s: got %+v", name, get)
		}
		if post.Method != "POST" || post.Body != `{"name":"a \"tab\t"}` || post.Header["X-Tag"] != "a, b" {
			t.Errorf("%s: got %+v", name, post)
		}
		if page.Name != "GET /goods no. 2" || page.Path != "/goods?page=2" {
			t.Errorf("%s: got %+v", name, page)
		}
	}
}

// What cannot be sent as it stands is told by the line at which its target begins.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, rate, want string }{
		{"a.txt", "\nGET http://a/x\n\nGTE http://a/y\n", "1/s", `a.txt:4:1: found the method GTE, expected GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS (did you mean "GET"?)`},
		{"a.txt", "GET http://a/x\nHost\n", "1/s", "a.txt:2:1: found a header without a name or a value, expected NAME: VALUE (as in Accept:"},
		{"a.txt", "GET http://a/x\n\nPOST http://a/y\n@nobody-has-this\n", "1/s", "a.txt:4:1: bad body: open nobody-has-this"},
		{"a.txt", "GET http://a/x\n\nGET http://b/x\n", "1/s", "a.txt:3:5: found the host http://b, the first target has http://a"},
		{"a.txt", "GET http://a/x\n\nGET http://a/y\nA: {{x}}\n", "1/s", "a.txt:4:4: found {{"},
		{"a.txt", "GET http://a/x\n\nGET http://a/y\nContent-Length: 3\n", "1/s", "a.txt:4:1: header: Content-Length says how a request is sent"},
		{"a.txt", "GET http://a/x\n\nGET http://a/y\nHost: b\nHost: c\n", "1/s", "a.txt:5:1: the header Host stands 2 times"},
		{"a.json", `{"metod":"GET","url":"http://a/x"}` + "\n", "1/s", `a.json:1:2: unknown field "metod" in a target (did you mean "method"?)`},
		{"a.txt", "GET http://a/y\nAuthorization: Basic x\nAuthorization: Bearer y\n", "1/s", "a.txt:3:1: the header Authorization stands 2 times"},
		{"a.txt", "GET http://a/x\n", "fifty", "--rate fifty --for 10s: "},
		{"a.json", "{\"method\":\"GET\",\"url\":\"http://a/x\"}\n{\"method\":\"GET\"}\n", "1/s", "a.json:2:1: "},
		{"a.txt", "GET http://a/x?q=%zz\n\nTRACE http://a/x\n", "1/s", "a.txt:3:1: found the method TRACE, expected GET,"},
		{"a.txt", "# later\n\n", "1/s", "a.txt: no target"},
		{"a.txt", "GET http://a/x%zz\n", "1/s", `a.txt:1:5: found the URL "http://a/x%zz", expected one that can be sent: invalid URL escape "%zz" (as in http`},
		{"a.txt", "GET http://a/x%zz\nHost: a\nHost: b\n\nGET nohost\nAccept json\n", "1/s", "a.txt:3:1: the header Host stands 2 times, expected it once: it is no list (keep one of them)\n"},
		{"a.txt", "GET http://a/x%zz\nHost: a\nHost: b\n\nGET nohost\nAccept json\n", "1/s", `a.txt:5:5: found the URL "nohost", expected one with scheme and host (as in http://127.0.0.1:8000/goods)`},
		{"a.txt", "GET http://a/x%zz\nHost: a\nHost: b\n\nGET nohost\nAccept json\n", "1/s", `a.txt:6:1: found a header`},
		{"a.txt", `{"method":"GET","url":"http://a/%zz","header":{"Host":["a","b"]}}`, "1/s", `a.txt:1:24: found the URL "http://a/%zz", expected one that can be sent: invalid URL escape "%zz" (as in http`},
		{"a.txt", `{"method":"GET","url":"http://a/%zz","header":{"Host":["a","b"]}}`, "1/s", `a.txt:1:48: the header Host stands 2 times`},
	} {
		_, _, err := targetfile.Read(write(t, c.name, c.text), c.rate, "10s")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

// All mistakes are told in one round, each at its place, whoever finds it: vegeta's
// reader, who stops at the first, this one, or the scenario's.
func TestEveryMistakeAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"a.txt": {`GET http://a/ok

GET http://a/q?a b

PURGE http://a/p
Content-Length: 7

GET http://bob:hunter2@a/u

GET http://b/other

POST http://a/l
Accept: */*
  content-length: 3

GET http://a/h
X-T: ä {{name}}

GET http://a/%zz

GET http://a/hh
Host: a.example
Host: b.example

nothing
GET http://bob:hunter2@a/%zz
GET http://a/x
Authorization Bearer hunter2

POST http://a/nofile
Content-Length: 9
@nobody-has-this
GET http://a/last?{{x}}
Connection: close
`, []string{
			"3:5: get: found", "5:1: found the method PURGE", "6:1: header: Content-Length", "8:5: no user", "10:5: found the host", "14:3: header: content-length", "17:8: found {{",
			"19:5: found the URL", "23:1: the header Host stands 2 times", "25:1: bad target: nothing", "26:5: found the URL", "28:1: found a header", "31:1: header: Content-Length", "32:1: bad body", "33:19: found {{", "34:1: header: Connection",
		}},
		"a.json": {`{"method":"GET","url":"http://a/ok"}
{"method":"GET","url":"http://a/q?a b"}
{"metod":"GET","url":"http://a/ok"}
not JSON
{"method":"PURGE","url":"http://a/p","header":{"Connection":["close"]}}
{"method":"GET","url":"http://b/x"}
`, []string{"2:24: get: found", "3:2: unknown field", "4:1: ", "5:12: found the method PURGE", "5:48: header: Connection", "6:24: found the host"}},
	} {
		_, _, err := targetfile.Read(write(t, name, c.text), "1/s", "10s")
		if err == nil {
			t.Fatalf("%s: got no mistake", name)
		}
		got := strings.Split(err.Error(), "\n")
		for i, line := range got {
			_, line, _ = strings.Cut(line, name+":")
			if i >= len(c.want) || !strings.HasPrefix(line, c.want[i]) {
				t.Errorf("%s: mistake %d: got %q, want one of %q in order", name, i+1, line, c.want)
			}
		}
		if len(got) != len(c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %d mistakes, want %d, and no secret:\n%v", name, len(got), len(c.want), err)
		}
	}
}

// Cookies of two lines are one header's, as browsers and HTTP/2 join them (RFC 9113, 8.2.3).
func TestCookiesOfTwoLines(t *testing.T) {
	sc, _, err := targetfile.Read(write(t, "a.txt", "GET http://a/x\nCookie: a=1\nCookie: b=2\n"), "1/s", "10s")
	if err != nil {
		t.Fatal(err)
	}
	if got := sc.Journeys[0].Tasks[0].Steps[0].Header["Cookie"]; got != "a=1; b=2" {
		t.Errorf("got %q, want both cookies", got)
	}
}

// Scenarios, whatever they are called, are none of them.
func TestIs(t *testing.T) {
	for name, text := range map[string]string{
		"a.txt": "name: a\nusers: 1\n", "a.json": `{"name": "a"}`, "a.yaml": "GET http://a/x\n", "empty.txt": "", "prose.txt": "THE shop\n",
	} {
		if targetfile.Is(write(t, name, text)) {
			t.Errorf("%s was taken for targets: %q", name, text)
		}
	}
	if !targetfile.Is(write(t, "later.txt", "# what is asked of the shop, from Monday on\n")) {
		t.Error("comments alone were not taken for targets, of which there are none")
	}
	if targetfile.Is("normal") {
		t.Error("a scenario's name was taken for targets")
	}
}

// Whatever a file holds, reading it ends in a scenario or in words.
func FuzzRead(f *testing.F) {
	f.Add(wellFormed)
	f.Add(wellFormedJSON)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "@") {
			return // it would read any file of this machine
		}
		sc, base, err := targetfile.Read(write(t, "f.txt", text), "1/s", "1s")
		if err == nil && (sc == nil || base == nil || len(sc.Journeys) == 0) {
			t.Errorf("neither a scenario nor an error: %q", text)
		}
	})
}

// What vegeta sends is sent, to the byte: any method but CONNECT and TRACE, and bodies
// that are no text. Two bodies are two requests, and two scenarios.
func TestOptionsAndBinaryBodies(t *testing.T) {
	digests := map[string]bool{}
	for _, last := range []string{"\xfe", "\xff"} {
		image := "\x89PNG\r\n{{\x00\xff" + last
		file := write(t, "image.png", image)
		sc, _, err := targetfile.Read(write(t, "a.txt", "OPTIONS http://a/x\nOrigin: http://b\n\nPUT http://a/x\nContent-Type: image/png\n@"+file+"\n"), "1/s", "10s")
		if err != nil {
			t.Fatal(err)
		}
		ask, put := sc.Journeys[0].Tasks[0].Steps[0], sc.Journeys[0].Tasks[1].Steps[0]
		if ask.Method != "OPTIONS" || ask.Path != "/x" || ask.Header["Origin"] != "http://b" {
			t.Errorf("got %+v, want OPTIONS /x", ask)
		}
		if string(put.Binary) != image || !strings.HasPrefix(put.Body, "base64:iVBORw0K") {
			t.Errorf("got the body %q (%q), want the file's bytes", put.Binary, put.Body)
		}
		digests[sc.Digest()] = true
	}
	if len(digests) != 2 {
		t.Error("two bodies make one digest")
	}
}

// A URL is sent as vegeta sends it: what a path cannot have is percent-encoded, a query
// stays as it is.
func TestOddCharactersInURLs(t *testing.T) {
	for url, want := range map[string]string{
		"/ä": "/%C3%A4", "/a b": "/a%20b", "/a|b": "/a%7Cb", "/%C3%A4": "/%C3%A4", "/a?q=ä": "/a?q=ä", "/a?q=%zz": "/a?q=%zz", "/a#x": "/a", "": "/",
	} {
		sc, _, err := targetfile.Read(write(t, "a.txt", "GET http://a"+url+"\n"), "1/s", "10s")
		if err != nil || sc.Journeys[0].Tasks[0].Steps[0].Path != want {
			t.Errorf("%q: got %v, %v, want %q", url, sc, err, want)
		}
	}
}

// A last line counts without its end, too.
func TestALastLineWithoutAnEnd(t *testing.T) {
	for name, text := range map[string]string{
		"json": `{"method":"GET","url":"http://a/1"}` + "\n" + `{"method":"GET","url":"http://a/2"}`,
		"http": "GET http://a/1\n\nGET http://a/2",
	} {
		sc, _, err := targetfile.Read(write(t, "targets", text), "1/s", "1s")
		if err != nil || len(sc.Journeys[0].Tasks) != 2 {
			t.Errorf("%s: got %v, %v, want 2 requests", name, sc, err)
		}
	}
}
