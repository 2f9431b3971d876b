package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"vitals/internal/load/null"
)

// serve is the null server as a process: it prints its address, then obeys lines:
// "count" prints answers sent and most connections, "freeze 1s" holds answers back,
// "slow 2s" answers late what arrives in the next two seconds, and "slowed" prints
// how many that were.
func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	s, err := null.Listen()
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Fprintln(out, s.Addr())
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "count":
			answers, conns := s.Served()
			fmt.Fprintln(out, answers, conns)
		case "freeze":
			d, err := time.ParseDuration(rest)
			if err != nil {
				return err
			}
			s.Freeze(ctx, d)
		case "slow":
			d, err := time.ParseDuration(rest)
			if err != nil {
				return err
			}
			s.Slow(d, slowFor)
		case "slowed":
			fmt.Fprintln(out, s.Slowed())
		}
	}
	return lines.Err()
}

// server is that process seen from outside.
type server struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	addr string
}

func startServer(b *bench) (*server, error) {
	s := &server{cmd: b.pinned(serverCPU, b.self, "serve")}
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the null server: %w", err)
	}
	s.out = bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	s.addr = strings.TrimSpace(line)
	return s, err
}

func (s *server) count() (answers int64, conns int, err error) {
	if _, err = fmt.Fprintln(s.in, "count"); err == nil {
		_, err = fmt.Fscan(s.out, &answers, &conns)
	}
	return answers, conns, err
}

func (s *server) freeze(d time.Duration) error {
	_, err := fmt.Fprintln(s.in, "freeze", d)
	return err
}

func (s *server) slow(by time.Duration) error {
	_, err := fmt.Fprintln(s.in, "slow", by)
	return err
}

func (s *server) slowed() (n int64, err error) {
	if _, err = fmt.Fprintln(s.in, "slowed"); err == nil {
		_, err = fmt.Fscan(s.out, &n)
	}
	return n, err
}

func (s *server) close() {
	_ = s.in.Close()
	_ = s.cmd.Wait()
}
