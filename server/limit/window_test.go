package limit

import (
	"crypto/rand"
	"testing"
	"time"
)

// The estimate against a plain calculation, and Retry against trying it out.
func TestBucketsAgainstTheFormula(t *testing.T) {
	p := Policy{Name: API, Limit: 250, Window: 10 * time.Second}
	for previous := 0; previous <= 300; previous += 37 {
		for current := 0; current <= 260; current += 26 {
			for elapsed := time.Duration(0); elapsed < p.Window; elapsed += 777 * time.Millisecond {
				b := buckets{previous, current, elapsed}
				estimate := float64(previous)*(1-elapsed.Seconds()/10) + float64(current)
				if got, want := b.admits(p), estimate+1 <= 250+1e-9; got != want {
					t.Fatalf("%+v admits: got %v, want %v (estimate %v)", b, got, want, estimate)
				}
				if b.admits(p) {
					continue
				}
				wait := b.decide(p, false).Retry
				if !b.after(p, wait).admits(p) {
					t.Fatalf("%+v: still denied after Retry %v", b, wait)
				}
				if wait > 2*time.Millisecond && b.after(p, wait-2*time.Millisecond).admits(p) {
					t.Fatalf("%+v: Retry %v is too long", b, wait)
				}
			}
		}
	}
}

// after is the state when d has passed without a request.
func (b buckets) after(p Policy, d time.Duration) buckets {
	b.elapsed += d
	for ; b.elapsed >= p.Window; b.elapsed -= p.Window {
		b.previous, b.current = b.current, 0
	}
	return b
}

// Above logMax two counters estimate; a burst gets the limit and no more, but for
// what slides out while it lasts, and Retry is enough.
func TestBuckets(t *testing.T) {
	onEvery(t, func(t *testing.T, r rig) {
		p := Policy{Name: API, Limit: 300, Window: 2 * r.unit}
		a := asker{t, r.engine, p}
		start, n := time.Now(), 0
		d := a.take("user:7", rand.Text())
		for ; d.Verdict == Allowed && n < 1000; n++ {
			d = a.take("user:7", rand.Text())
		}
		most := 300
		if r.slack > time.Millisecond {
			most += int(300 * time.Since(start) / p.Window)
		}
		if n < 300 || n > most {
			t.Errorf("admitted: got %d, want 300 to %d", n, most)
		}
		if d.Remaining != 0 || d.Retry <= 0 || d.Retry > 2*p.Window {
			t.Errorf("over the limit: got %+v", d)
		}
		r.sleep(d.Retry)
		if d := a.take("user:7", rand.Text()); d.Verdict != Allowed {
			t.Errorf("after Retry: got %v, want allowed", d.Verdict)
		}
		r.sleep(2 * p.Window)
		if d := a.take("user:7", "last"); d.Remaining != 299 {
			t.Errorf("two windows later: got remaining %d, want 299", d.Remaining)
		}
		if d := a.commit("user:7", "last", Released, ""); d.Remaining != 300 {
			t.Errorf("given back: got remaining %d, want 300", d.Remaining)
		}
	})
}
