package limit

import (
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
