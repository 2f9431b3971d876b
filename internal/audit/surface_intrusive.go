package audit

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"vitals/internal/wire"
)

func surfaceIntrusive() []Probe {
	return []Probe{{
		ID: "SH4", Title: "500 connections that send a byte at a time are cut, and honest requests do not feel them", Guide: "hardening-summary:123", Class: Intrusive, Alone: true, run: slowConnections,
		Why: "A few hundred connections that never finish their headers hold a server's slots for nothing. How long one may live is said by the production guide (5 s for headers, 15 s for a body) or the API's own settings; without them it is only asked that honest requests do not feel 500 of them, for ASVS names no seconds.",
		Fix: "Bound the time for headers and for bodies, and the number of connections.",
	}}
}

// setting is one of the target's own timeouts, or its published default.
func (t *T) setting(name string, def time.Duration) time.Duration {
	if s, ok := t.target.Settings[name]; ok {
		if d, err := time.ParseDuration(s + "s"); err == nil {
			return d
		}
	}
	return def
}

func slowConnections(t *T) { t.shows(t.slowloris) }

// slowloris is one attack; it says what honest requests felt too much.
func (t *T) slowloris() string {
	const many = 500
	headers, bodies := t.setting("READ_HEADER_TIMEOUT", 5*time.Second), t.setting("READ_TIMEOUT", 15*time.Second)
	// How long a slow connection may live is said by its settings, or by the guide; a
	// standard names no seconds.
	_, told := t.target.Settings["READ_HEADER_TIMEOUT"]
	bounded := told || t.guide()
	if !bounded {
		t.Checked("honest requests do not feel 500 connections that send a byte at a time")
	}
	quiet := t.honest(3 * time.Second)
	var attacked []time.Duration
	var slowest [2]time.Duration
	for i, kind := range []struct {
		what  string
		text  string
		limit time.Duration
	}{
		{"headers", "GET %s HTTP/1.1\r\nHost: %s\r\nX-Slow: ", headers},
		{"a body", "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", bodies},
	} {
		path := t.Operation("health").Path
		if i == 1 {
			login, ok := t.target.Profile.Operations["login"]
			if !ok {
				t.Note("slow bodies were not tried: profile %s has no operation \"login\"", t.target.Profile.Name)
				continue
			}
			path = login.Path
		}
		text := fmt.Sprintf(kind.text, wire.Prefix(t.target.URL)+path, t.target.URL.Host)
		t.run.progress(Progress{Probe: t.probe, Wait: kind.limit + 2*time.Second, Words: fmt.Sprintf("%d connections send %s a byte at a time", many, kind.what)})
		var wg sync.WaitGroup
		cut := make([]time.Duration, many)
		for n := range many {
			wg.Go(func() { cut[n] = t.lives(text, kind.limit+10*time.Second) })
		}
		attacked = append(attacked, t.honest(kind.limit)...)
		wg.Wait()
		late, refused := 0, 0
		for _, d := range cut {
			slowest[i] = max(slowest[i], d)
			if d > kind.limit+2*time.Second {
				late++
			}
			if d == 0 {
				refused++
			}
		}
		if !bounded {
			late = 0
		}
		t.Check(late == 0, "%d of %d connections that sent %s a byte at a time lived longer than %v (the longest %v)", late, many, kind.what, kind.limit+2*time.Second, slowest[i].Round(10*time.Millisecond))
		t.Check(refused < many/2, "%d of %d connections could not be opened, so this proves little", refused, many)
	}
	quiet = append(quiet, t.honest(3*time.Second)...)
	before, during := quantile(quiet, 0.95), quantile(attacked, 0.95)
	// Of a millisecond a tenth says nothing; 30 ms are a tenth of the published
	// target of 300 ms.
	bound := max(before*11/10, before+30*time.Millisecond)
	t.Note("honest p95 %v without, %v with the attack (n = %d, %d); connections lived %v with headers, %v with bodies at most", before.Round(10*time.Microsecond), during.Round(10*time.Microsecond), len(quiet), len(attacked), slowest[0].Round(time.Millisecond), slowest[1].Round(time.Millisecond))
	if during <= bound {
		return ""
	}
	return fmt.Sprintf("honest p95 under attack is %v, without it %v; at most %v is allowed", during, before, bound)
}

// honest sends requests that need no sign-in, for a while, and gives the
// times. They go the way of all requests, which health checks do not.
func (t *T) honest(d time.Duration) []time.Duration {
	name, each := "me", 50
	right := func(a Answer) bool { return t.turned("me", a) }
	if _, ok := t.target.Profile.Operations[name]; !ok || t.target.Source == nil {
		name, each = "health", 1<<30 // unlimited everywhere
		right = func(a Answer) bool { return t.Operation("health").Succeeded(a.Status) }
	}
	var out []time.Duration
	failed := map[int]int{}
	from := t.plain()
	for end := time.Now().Add(d); time.Now().Before(end) && t.ctx.Err() == nil; {
		if len(out)%each == each-1 { // before the quota of an address is spent
			from = t.plain()
		}
		a := t.Send(t.Request(name, from, "", nil))
		if right(a) {
			out = append(out, a.Done.Sub(a.Sent))
		} else {
			failed[a.Status]++
		}
		t.sleep(20 * time.Millisecond)
	}
	t.Check(len(failed) == 0, "honest requests beside slow connections: %s beside %d as they should be", tally(failed), len(out))
	return out
}

// lives opens a connection, sends the beginning of a request and then a byte a
// second, until the server closes it; it gives how long that took, 0 when it
// could not connect.
func (t *T) lives(text string, most time.Duration) time.Duration {
	conn, _, err := t.client().Open(t.ctx, t.plain())
	if err != nil {
		return 0
	}
	defer conn.Close()
	began := time.Now()
	if _, err := io.WriteString(conn, text); err != nil {
		return time.Since(began)
	}
	buf := make([]byte, 512)
	for time.Since(began) < most && t.ctx.Err() == nil {
		_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // a socket that takes no deadline reads an error below
		for {
			_, err = conn.Read(buf)
			if err != nil {
				break
			}
		}
		if slow, ok := errors.AsType[net.Error](err); !ok || !slow.Timeout() {
			return time.Since(began)
		}
		if _, err := conn.Write([]byte("a")); err != nil {
			return time.Since(began)
		}
	}
	return time.Since(began)
}
