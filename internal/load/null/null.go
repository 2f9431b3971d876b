// Package null is a server that does nothing but answer: what a generator is
// measured against, so that every microsecond seen is the generator's or the
// machine's. It reads a request with one read and knows no HTTP beyond that.
package null

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Answer is what every request gets: 200 with 185 bytes of JSON.
const Answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 185\r\n\r\n" +
	`{"items":[{"id":"0190c3a2-7b1e-7c44-9d0e-1f2a3b4c5d6e","name":"Amoxicillin","dosage":"500 mg","stock":60},` +
	`{"id":"0190c3a2-7b1e-7c44-9d0e-1f2a3b4c5d6f","name":"Ibuprofen"}],"total":2   }`

// Server is a null server on a loopback address.
type Server struct {
	listener net.Listener
	wg       sync.WaitGroup
	served   atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	most  int
	gate  sync.RWMutex // held shut by Freeze

	slow   atomic.Pointer[slowness]
	slowed atomic.Int64
}

// slowness is until when each request is answered how much later.
type slowness struct {
	until time.Time
	by    time.Duration
}

// Listen starts a server on 127.0.0.1 and a free port.
func Listen() (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{listener: l, conns: map[net.Conn]struct{}{}}
	s.wg.Go(s.accept)
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Served is how many answers were sent, and Conns how many connections were open
// at once at most.
func (s *Server) Served() (answers int64, conns int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served.Load(), s.most
}

// Freeze holds all answers back for d, or until ctx ends.
func (s *Server) Freeze(ctx context.Context, d time.Duration) {
	s.gate.Lock()
	defer s.gate.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Slow answers each request that arrives during the next while by so much later.
// All of them wait at the same time: nothing queues.
func (s *Server) Slow(by, during time.Duration) {
	s.slow.Store(&slowness{time.Now().Add(during), by})
}

// Slowed is how many requests arrived while the server was slow.
func (s *Server) Slowed() int64 { return s.slowed.Load() }

// Close ends the server and waits for it.
func (s *Server) Close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = struct{}{}
		s.most = max(s.most, len(s.conns))
		s.mu.Unlock()
		s.wg.Go(func() { s.serve(c) })
	}
}

func (s *Server) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	buf, answer := make([]byte, 16<<10), []byte(Answer)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
		s.gate.RLock()
		//lint:ignore SA2001 waits while the gate is shut
		s.gate.RUnlock()
		if slow := s.slow.Load(); slow != nil && time.Now().Before(slow.until) {
			s.slowed.Add(1)
			time.Sleep(slow.by)
		}
		s.served.Add(1)
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}
