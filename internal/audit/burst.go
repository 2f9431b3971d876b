package audit

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"vitals/internal/wire"
)

// maxSpread is how far apart a burst may be released and still count as one
// moment: 2 ms, or 40 µs for each request when that is more.
func maxSpread(n int) time.Duration {
	return max(2*time.Millisecond, time.Duration(n)*40*time.Microsecond)
}

// Burst releases all requests at one barrier, each on an open connection of its
// own, so that neither dialling nor parsing is part of the race. Answers are in
// the order of the requests. It tries again, at most three times, only when
// nothing was released; a burst that was released too slowly is noted, for it
// proves less.
func (t *T) Burst(qs []Request) []Answer {
	origin := time.Now()
	clients := map[string]*wire.Raw{}
	defer func() {
		for _, c := range clients {
			c.Close()
		}
	}()
	calls, by := make([]*wire.Call, len(qs)), map[string][]int{}
	for i := range qs {
		q := &qs[i]
		base := t.target.URL
		if q.Base != nil {
			base = q.Base
		}
		key := base.Scheme + "://" + base.Host
		if clients[key] == nil {
			var secure *tls.Config
			port := "80"
			if base.Scheme == "https" {
				secure, port = &tls.Config{MinVersion: tls.VersionTLS12}, "443"
			}
			clients[key] = wire.NewRaw(hostPort(base.Host, port), secure)
			clients[key].Start(origin)
		}
		by[key] = append(by[key], i)
		calls[i] = t.call(q, strings.TrimRight(base.Path, "/"))
	}
	// Requests to several replicas are released side by side: one barrier each.
	released := make(chan error, len(by))
	for key, at := range by {
		go func() {
			group := make([]*wire.Call, len(at))
			for i, n := range at {
				group[i] = calls[n]
			}
			var spread time.Duration
			var err error
			for range 3 {
				if spread, err = clients[key].Burst(t.ctx, group); err == nil {
					break
				}
			}
			if err == nil && spread > maxSpread(len(at)) {
				t.Note("a burst of %d requests was released within %v; below %v would be one moment", len(at), spread.Round(10*time.Microsecond), maxSpread(len(at)))
			}
			released <- err
		}()
	}
	var failed error
	for range by {
		if err := <-released; err != nil {
			failed = err
		}
	}
	if failed != nil {
		t.Skip("the burst could not be released: %v", failed)
	}
	answers := make([]Answer, len(qs))
	for i, c := range calls {
		answers[i] = Answer{Status: c.Code, Header: header(c.Head), Body: c.Answer, Sent: origin.Add(c.Began), Done: origin.Add(c.Done), Err: c.Err}
	}
	order := make([]int, len(qs))
	for i := range order {
		order[i] = i
	}
	// The history wants them as they ended.
	slices.SortStableFunc(order, func(a, b int) int { return answers[a].Done.Compare(answers[b].Done) })
	for _, i := range order {
		answers[i] = t.record(qs[i], answers[i])
	}
	return answers
}

// call is a request as the wire client takes it.
func (t *T) call(q *Request, prefix string) *wire.Call {
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	h := q.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	h.Set("User-Agent", "vitals-audit")
	c := &wire.Call{Method: q.Method, Path: []byte(prefix + q.Path), Body: q.Body, Timeout: timeout, Keep: 64 << 10}
	if t.target.Forward && q.From.IsValid() {
		h.Add("X-Forwarded-For", q.From.String())
	} else {
		c.From = q.From
	}
	q.Header = h
	for name, values := range h {
		for _, v := range values {
			c.Lines = fmt.Appendf(c.Lines, "%s: %s\r\n", name, v)
		}
	}
	return c
}

// header reads the lines of an answer's head.
func header(head []byte) http.Header {
	h := http.Header{}
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			h.Add(name, strings.TrimSpace(value))
		}
	}
	return h
}

// repeat is n requests alike.
func repeat(n int, make func(i int) Request) []Request {
	out := []Request{}
	for i := range n {
		out = append(out, make(i))
	}
	return out
}

// statuses counts answers by status; 0 = none.
func statuses(as []Answer) map[int]int {
	out := map[int]int{}
	for _, a := range as {
		out[a.Status]++
	}
	return out
}

// counted words any count: "2×late, 1×never".
func counted(counts map[string]int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d×%s", counts[what], what))
	}
	return strings.Join(parts, ", ")
}

// tally words a count of statuses: "5×401, 195×429".
func tally(counts map[int]int) string {
	words := map[string]int{}
	for status, n := range counts {
		if status == 0 {
			words["no answer"] = n
		} else {
			words[strconv.Itoa(status)] = n
		}
	}
	return counted(words)
}
