package load

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
)

// What an answer sets comes back as it was set, whatever is in it.
func TestCookiesComeBackAsTheyWereSet(t *testing.T) {
	u := &url.URL{Scheme: "http", Host: "127.0.0.1:8000", Path: "/a/b"}
	for line, want := range map[string]string{
		` sid=abc; Path=/; HttpOnly`:      "abc",
		`sid="dark,blue"; Path=/`:         `"dark,blue"`,
		`sid={"a":1}; Path=/`:             `{"a":1}`,
		`sid=grün; Path=/`:                "grün",
		`sid=a\b c=d ;Path=/`:             `a\b c=d`,
		`sid=; Path=/`:                    "",
		`sid=gone; Path=/; Max-Age=0`:     "–",
		`sid=elsewhere; Path=/other`:      "–",
		`sid=another; Domain=example.com`: "–",
	} {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		if k, ok := readCookie(line); ok {
			jar.SetCookies(u, []*http.Cookie{k})
		}
		got := "–"
		for _, k := range jar.Cookies(u) {
			got = k.Value
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}
