package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"vitals/internal/wire"
)

// Raw writes a request byte by byte as given, for what a well-behaved client
// cannot send. lines are header lines between CRLFs; Host and Connection: close
// are added.
func (t *T) Raw(method, path, lines, body, label string) Answer {
	if lines != "" {
		lines += "\r\n"
	}
	from := t.plain()
	forward := ""
	if t.target.Forward && from.IsValid() {
		forward = "X-Forwarded-For: " + from.String() + "\r\n"
	}
	text := fmt.Sprintf("%s %s%s HTTP/1.1\r\nHost: %s\r\n%s%sConnection: close\r\n\r\n%s", method, wire.Prefix(t.target.URL), path, t.target.URL.Host, forward, lines, body)
	return t.Wire(from, text, label)[0]
}

// Wire writes bytes to a socket of its own and reads all answers until the
// server closes it or a timeout passes: at least one, status 0 for none.
func (t *T) Wire(from netip.Addr, text, label string) []Answer {
	t.run.pace(t)
	q := Request{Method: "RAW", Path: cut(text), From: from, Label: label}
	sent := time.Now()
	conn, _, err := t.client().Open(t.ctx, from)
	if err != nil {
		return []Answer{t.record(q, wire.Answer{Sent: sent, Done: time.Now(), Err: err})}
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(timeout)) // a socket that takes no deadline fails below
	wrote := make(chan error, 1)
	go func() { // beside the reading: an early refusal may leave the rest unread
		_, err := io.WriteString(conn, text)
		wrote <- err
	}()
	var out []Answer
	r := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: strings.SplitN(text, " ", 2)[0]})
		if err != nil {
			if len(out) == 0 {
				out = append(out, t.record(q, wire.Answer{Sent: sent, Done: time.Now(), Err: err}))
			}
			break
		}
		if resp.StatusCode < 200 {
			continue
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		_ = resp.Body.Close()
		a := wire.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body, Sent: sent, Done: time.Now()}
		out = append(out, t.record(q, a))
		if resp.Close || err != nil && !errors.Is(err, io.EOF) {
			break
		}
	}
	_ = conn.Close() // ends a writer whose text nobody reads
	<-wrote
	return out
}
