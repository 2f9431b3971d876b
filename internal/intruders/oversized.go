package intruders

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"vitals/internal/measure"
)

// oversizer sends bodies above the published 64 KiB, by their
// length told before and in chunks, in turn. What lies beyond the limit are
// requests: a server that refuses and reads on as if nothing had been answers
// more than once.
type oversizer struct{ actor }

const (
	bodyLimit = 64 << 10
	bodySize  = bodyLimit + bodyLimit/4
	chunkSize = 8 << 10
)

// closing is how long a server may take from its refusal to closing the
// connection: it may wait a moment for a client that is still writing.
const closing = 5 * time.Second

func (g *oversizer) work(ctx context.Context) {
	for n, lost := 0, 0; n < g.in.Bodies && lost < patience && g.turn(ctx); {
		rest := g.in.Every
		if g.body(ctx, n%2 == 1) {
			n++
		} else {
			lost++
			rest = max(rest, pause)
		}
		if n < g.in.Bodies && !g.wait(ctx, rest) {
			return
		}
	}
	g.complete(ctx, g.seen.Opened >= g.in.Bodies)
}

// body sends one, and reports whether that showed anything.
func (g *oversizer) body(ctx context.Context, chunked bool) bool {
	conn, lines, err := g.s.Open(ctx, g.own)
	if err != nil {
		g.seen.Lost++
		return false
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	began := time.Now()
	wrote := make(chan struct{})
	go func() { // beside the reading: an early refusal may leave the rest unread
		defer close(wrote)
		_, _ = io.WriteString(conn, g.text(lines, chunked))
	}()
	code, answers, kept := g.listen(conn)
	_ = conn.Close() // ends a writer that nobody reads
	<-wrote
	return ctx.Err() == nil && g.note(began, code, answers, kept)
}

// listen reads what comes until the server closes the connection, or keeps it
// longer than it should.
func (g *oversizer) listen(conn net.Conn) (code, answers int, kept bool) {
	_ = conn.SetReadDeadline(time.Now().Add(cmp.Or(g.BodyTimeout, bodyTimeout) + tolerance)) // one that takes no deadline fails on its own
	for r := bufio.NewReader(conn); ; {
		resp, err := http.ReadResponse(r, &http.Request{Method: g.SignIn.Method})
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		if err != nil {
			slow, ok := errors.AsType[net.Error](err)
			return code, answers, ok && slow.Timeout()
		}
		if resp.StatusCode < http.StatusOK {
			continue
		}
		if answers++; answers == 1 {
			code = resp.StatusCode
			_ = conn.SetReadDeadline(time.Now().Add(closing))
		}
	}
}

// note adds what one body met. A cut without an answer is as good as 413.
func (g *oversizer) note(began time.Time, code, answers int, kept bool) bool {
	s := measure.Sample{Step: g.index[stepOversizing], Code: code, Due: began.Sub(g.began), Sent: began.Sub(g.began), Done: time.Since(g.began)}
	limited := g.Profile.Refusals(g.in.Locked...).Turned(code, false)
	shown := code != http.StatusServiceUnavailable && !limited
	s.OK = shown && (code == 0 || code == http.StatusRequestEntityTooLarge) && answers <= 1 && !kept
	classified(&s, limited)
	if s.OK {
		s.Outcome = measure.Refused
	}
	g.Record(&s)
	if !shown {
		g.seen.Lost++
		return false
	}
	g.seen.Opened++
	switch {
	case code/100 == 2 || answers > 1:
		g.seen.Granted++
	case code != 0 && code != http.StatusRequestEntityTooLarge:
		g.seen.Wrong++
	}
	if kept {
		g.seen.Open++
	}
	return true
}

// text is the request. Up to the limit its body is the beginning of a sign-in,
// beyond it there are requests.
func (g *oversizer) text(lines string, chunked bool) string {
	head := g.line() + lines
	body := `{"email":"nobody@vitals.test","password":"` + strings.Repeat("a", bodyLimit) + "\"}\r\n"
	hidden := head + "\r\n"
	body += strings.Repeat(hidden, 1+(bodySize-len(body))/len(hidden))
	head += "Content-Type: application/json\r\n"
	if !chunked {
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	}
	var b strings.Builder
	b.WriteString(head + "Transfer-Encoding: chunked\r\n\r\n")
	for rest := body; rest != ""; {
		chunk := rest[:min(chunkSize, len(rest))]
		rest = rest[len(chunk):]
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(chunk), chunk)
	}
	b.WriteString("0\r\n\r\n")
	return b.String()
}
