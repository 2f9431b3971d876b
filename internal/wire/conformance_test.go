package wire

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/internal/measure"
)

const ok = "HTTP/1.1 200 OK\r\n"

// once answers every request of a connection with the same parts.
func once(parts ...string) func(*peer) {
	return func(p *peer) {
		for {
			req, alive := p.next()
			if !alive {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			p.say(parts...)
		}
	}
}

// last answers one request and closes.
func last(parts ...string) func(*peer) {
	return func(p *peer) {
		if req, alive := p.next(); alive {
			_, _ = io.Copy(io.Discard, req.Body)
			p.say(parts...)
		}
	}
}

// TestAwkwardServers holds both clients to the same answers, twice in a row on
// whatever connection is left.
func TestAwkwardServers(t *testing.T) {
	huge := strings.Repeat("x", 600<<10)
	for _, tt := range []struct {
		name   string
		method string
		script func(*peer)
		code   int
		body   string
		class  measure.Class
		again  bool // the connection can be used again
	}{
		{"length", "GET", once(ok + "Content-Length: 5\r\n\r\nhello"), 200, "hello", 0, true},
		{"empty", "GET", once(ok + "Content-Length: 0\r\n\r\n"), 200, "", 0, true},
		{"chunked", "GET", once(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n"), 200, "hello", 0, true},
		{"chunked with trailers", "GET", once(ok + "Transfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n5\r\nhello\r\n0\r\nSum: 1\r\n\r\n"), 200, "hello", 0, true},
		{"chunked and length", "GET", once(ok + "Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), 200, "hello", 0, true},
		{"split everywhere", "GET", once("HT", "TP/1.1 2", "00 OK\r", "\nContent-Le", "ngth: 5\r\n", "\r", "\nhe", "llo"), 200, "hello", 0, true},
		{"split in chunks", "GET", once(ok+"Transfer-Encoding: chunked\r\n\r\n", "5", "\r\nhel", "lo", "\r\n0\r\n", "\r\n"), 200, "hello", 0, true},
		{"no length", "GET", last(ok+"\r\nhel", "lo"), 200, "hello", 0, false},
		{"connection close", "GET", last(ok + "Connection: close\r\nContent-Length: 5\r\n\r\nhello"), 200, "hello", 0, false},
		{"HTTP/1.0", "GET", last("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"), 200, "hello", 0, false},
		{"HTTP/1.0 kept alive", "GET", once("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"), 200, "hello", 0, true},
		{"no reason", "GET", once("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello"), 200, "hello", 0, true},
		{"bare LF", "GET", once("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"), 200, "hello", 0, true},
		{"folded header", "GET", once(ok + "X-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello"), 200, "hello", 0, true},
		{"204 with length", "GET", once("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"), 204, "", 0, true},
		{"304 with length", "GET", once("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"), 304, "", 0, true},
		{"HEAD with length", "HEAD", once(ok + "Content-Length: 500\r\n\r\n"), 200, "", 0, true},
		{"HEAD chunked", "HEAD", once(ok + "Transfer-Encoding: chunked\r\n\r\n"), 200, "", 0, true},
		{"100 continue", "POST", once("HTTP/1.1 100 Continue\r\n\r\n", ok+"Content-Length: 5\r\n\r\nhello"), 200, "hello", 0, true},
		{"103 early hints", "GET", once("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + ok + "Content-Length: 5\r\n\r\nhello"), 200, "hello", 0, true},
		{"huge header", "GET", once(ok + "X-Huge: " + huge + "\r\nContent-Length: 5\r\n\r\nhello"), 200, "hello", 0, true},
		{"huge body", "GET", once(ok+"Content-Length: 614400\r\n\r\n", huge), 200, huge, 0, true},
		{"more than its length", "GET", once(ok + "Content-Length: 5\r\n\r\nhello, and more"), 200, "hello", 0, false},
		{"unasked second answer", "GET", once(ok + "Content-Length: 5\r\n\r\nhello" + ok + "Content-Length: 0\r\n\r\n"), 200, "hello", 0, false},
		{"unknown 2xx", "GET", once("HTTP/1.1 299 Odd\r\nContent-Length: 5\r\n\r\nhello"), 299, "hello", 0, true},
		{"error status", "GET", once("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 5\r\n\r\nhello"), 503, "hello", 0, true},

		{"closed at once", "GET", last(), 0, "", measure.ResetNew, false},
		{"reset at once", "GET", func(p *peer) { p.next(); p.reset() }, 0, "", measure.ResetNew, false},
		{"cut in the head", "GET", last(ok + "Content-Le"), 0, "", measure.Protocol, false},
		{"cut in the body", "GET", last(ok + "Content-Length: 10\r\n\r\nhello"), 200, "hello", measure.Body, false},
		{"cut in a chunk", "GET", last(ok + "Transfer-Encoding: chunked\r\n\r\na\r\nhello"), 200, "hello", measure.Body, false},
		{"cut before the last chunk", "GET", last(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), 200, "hello", measure.Body, false},
		{"reset in the body", "GET", func(p *peer) {
			p.next()
			p.say(ok+"Content-Length: 10\r\n\r\nhello", "")
			time.Sleep(20 * time.Millisecond)
			p.reset()
		}, 200, "hello", measure.Body, false},
		{"not HTTP", "GET", last("SSH-2.0-OpenSSH_9.9\r\n\r\n"), 0, "", measure.Protocol, false},
		{"bad status", "GET", last("HTTP/1.1 2000 OK\r\n\r\n"), 0, "", measure.Protocol, false},
		{"header without colon", "GET", last(ok + "Garbage\r\n\r\n"), 0, "", measure.Protocol, false},
		{"two lengths", "GET", last(ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), 0, "", measure.Protocol, false},
		{"negative length", "GET", last(ok + "Content-Length: -5\r\n\r\nhello"), 0, "", measure.Protocol, false},
		{"gzip encoding", "GET", last(ok + "Transfer-Encoding: gzip, chunked\r\n\r\nhello"), 0, "", measure.Protocol, false},
		{"endless head", "GET", last(ok + "X: " + huge + "\r\nY: " + huge + "\r\n\r\n"), 0, "", measure.Protocol, false},
		{"bad chunk size", "GET", last(ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n"), 200, "", measure.Protocol, false},
		{"chunk longer than its size", "GET", last(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n"), 200, "he", measure.Protocol, false},
		{"switching protocols", "GET", last("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), 0, "", measure.Protocol, false},
		{"seven interim answers", "GET", last(strings.Repeat("HTTP/1.1 103 Hint\r\n\r\n", 7) + ok + "Content-Length: 0\r\n\r\n"), 0, "", measure.Protocol, false},
	} {
		for client := range map[string]bool{"raw": true, "std": true} {
			t.Run(tt.name+"/"+client, func(t *testing.T) {
				t.Parallel()
				s := serve(t, tt.script)
				d := doers(t, s.url())[client]
				for round := range 2 {
					c := get("/")
					if c.Method = tt.method; c.Method == "POST" {
						c.Body = []byte("{}")
					}
					d.Do(t.Context(), c)
					type seen struct {
						Code  int
						Body  string
						Class string
					}
					want := seen{tt.code, tt.body, tt.class.String()}
					if diff := cmp.Diff(want, seen{c.Code, string(c.Answer), c.Class.String()}); diff != "" {
						t.Fatalf("round %d: %s (%v)", round, diff, c.Err)
					}
					if c.Class == measure.None && c.Bytes != int64(len(tt.body)) {
						t.Errorf("round %d: got %d bytes, want %d", round, c.Bytes, len(tt.body))
					}
					if round == 1 && c.Reused != tt.again {
						t.Errorf("got connection reused %v, want %v", c.Reused, tt.again)
					}
					if c.Done < c.Began {
						t.Errorf("got done %s before begun %s", c.Done, c.Began)
					}
					time.Sleep(5 * time.Millisecond) // net/http looks at a connection after its answer
				}
				if got := s.seen(); got != 2 {
					t.Errorf("got %d requests at the server, want 2: nothing is sent again", got)
				}
			})
		}
	}
}
