package load

import (
	"bufio"
	"context"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// nullServer answers every request at once with the same few bytes, on raw
// sockets, so that what a test sees is the engine and not net/http.
type nullServer struct {
	listener net.Listener
	served   atomic.Int64
	arrived  func(line string) // request line; may be nil
	answered func(n uint64)    // the number at the path's end, just before its answer; may be nil
	gate     gate
	conns    atomic.Int64
	wg       sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]struct{}
}

// gate holds every answer back while it is shut.
type gate struct{ mu sync.RWMutex }

func newNullServer(t testing.TB, arrived func(line string)) *nullServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nullServer{listener: l, arrived: arrived, open: map[net.Conn]struct{}{}}
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.conns.Add(1)
			s.mu.Lock()
			s.open[c] = struct{}{}
			s.mu.Unlock()
			s.wg.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		s.stop()
		s.wg.Wait()
	})
	return s
}

// stop closes the listener and every connection.
func (s *nullServer) stop() {
	_ = s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.Close()
	}
}

const nullAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: 0123456789abcdef\r\nContent-Length: 11\r\n\r\n{\"ok\":true}"

func (s *nullServer) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	}()
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if s.arrived != nil {
			s.arrived(string(line))
		}
		number := uint64(0)
		for _, c := range line[:len(line)-len(" HTTP/1.1\r\n")] {
			if number *= 10; c < '0' || c > '9' {
				number = 0
			} else {
				number += uint64(c - '0')
			}
		}
		length := 0
		for {
			h, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(h) <= 2 {
				break
			}
			if n, ok := strings.CutPrefix(string(h), "Content-Length: "); ok {
				for _, d := range strings.TrimSpace(n) {
					length = length*10 + int(d-'0')
				}
			}
		}
		if _, err := r.Discard(length); err != nil {
			return
		}
		s.gate.mu.RLock()
		//lint:ignore SA2001 waits while the gate is shut
		s.gate.mu.RUnlock()
		s.served.Add(1)
		if s.answered != nil {
			s.answered(number)
		}
		if _, err := c.Write([]byte(nullAnswer)); err != nil {
			return
		}
	}
}

// freeze stops all answers for a while, from an offset after began, and says from
// when to when, because neither is exact.
func (s *nullServer) freeze(ctx context.Context, began time.Time, at, d time.Duration) (from, to time.Duration) {
	if !sleep(ctx, time.Until(began.Add(at))) {
		return 0, 0
	}
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	from = time.Since(began)
	sleep(ctx, d)
	return from, time.Since(began)
}

func (s *nullServer) url() *url.URL {
	return &url.URL{Scheme: "http", Host: s.listener.Addr().String()}
}
