package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
)

// FuzzAnswer holds the parser against net/http's: what both take they read alike,
// and what net/http refuses we refuse. We may refuse more, for a reason that is
// written in stricter.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		ok + "Content-Length: 5\r\n\r\nhello",
		ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n",
		ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1;a=b\r\nh\r\n0\r\n\r\n",
		ok + "\r\nuntil the end",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 1\r\n\r\nx",
		"HTTP/1.1 204 No Content\r\n\r\n",
		ok + "X-A: b\r\n c\r\n\td\r\nContent-Length: 5, 5\r\n\r\nhello",
		ok + "Content-Length: +5\r\n\r\nhello", ok + "Content-Length : 5\r\n\r\nhello", "HTTP/1.1 +20 x\r\n\r\n",
		"HTTP/1.1 200 OK\nA:b\n\n", ok + ": empty\r\n\r\n", ok + "A\x00: b\r\n\r\n", ok + "A: b\x7f\r\n\r\n",
		ok + "Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, answer []byte, head bool) {
		c := get("/")
		if head {
			c.Method = "HEAD"
		}
		r := reader{src: &drip{b: answer}, buf: make([]byte, 64)}
		again, err := r.answer(c)
		want, body, wantErr := theirs(answer, c.Method)
		if err != nil {
			if wantErr == nil && !stricter(err, want) {
				t.Fatalf("got error %v, want what net/http reads: %d %q", err, want.StatusCode, body)
			}
			return
		}
		if wantErr != nil {
			t.Fatalf("got %d %q, want the error of net/http: %v", c.Code, c.Answer, wantErr)
		}
		if c.Code != want.StatusCode || !bytes.Equal(c.Answer, body) || c.Bytes != int64(len(body)) {
			t.Fatalf("got %d %q, want %d %q", c.Code, c.Answer, want.StatusCode, body)
		}
		if again && want.Close {
			t.Fatalf("got a connection to use again, net/http closes it")
		}
		for name, values := range want.Header {
			if name == "Content-Length" || name == "Transfer-Encoding" || name == "Connection" || name == "Trailer" {
				continue // net/http takes these out of the header when it has used them
			}
			got, found := c.Header(name)
			if name == "Cache-Control" && values[0] == "no-cache" {
				continue // made up from Pragma
			}
			if !found || string(got) != values[0] {
				t.Fatalf("header %s: got %q, want %q", name, got, values[0])
			}
		}
	})
}

// drip gives a byte stream in uneven pieces.
type drip struct {
	b []byte
	n int
}

func (d *drip) Read(p []byte) (int, error) {
	if len(d.b) == 0 {
		return 0, io.EOF
	}
	d.n = d.n%7 + 1
	n := copy(p[:min(len(p), d.n)], d.b)
	d.b = d.b[n:]
	return n, nil
}

// theirs reads the final answer as net/http does.
func theirs(answer []byte, method string) (*http.Response, []byte, error) {
	br := bufio.NewReader(bytes.NewReader(answer))
	for range maxInformational + 1 {
		res, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			return nil, nil, err
		}
		if res.StatusCode/100 == 1 && res.StatusCode != 101 {
			continue
		}
		body, err := io.ReadAll(res.Body)
		return res, body, err
	}
	return nil, nil, errors.New("too many 1xx")
}

// stricter are the answers that net/http takes and we do not, because no server
// means them: signed or short status codes, other versions, names with spaces,
// 101, and trailers or chunks whose end is missing or malformed.
func stricter(err error, res *http.Response) bool {
	var p protocolError
	if !errors.As(err, &p) {
		return false
	}
	switch p {
	case "malformed status line", "unknown version of HTTP", "malformed status code", "status code below 100",
		"malformed header name", "101 switching protocols, which nobody asked for", "control character in a header value":
		return true
	}
	return false
}
