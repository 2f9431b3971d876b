package limit

import "time"

// logMax is the largest limit that is kept as an exact log. Above it two
// counters estimate the sliding window: a set of a million entries per client
// would measure itself.
const logMax = 200

// exact reports whether p is kept as a sliding log.
func (p Policy) exact() bool { return p.Failures || p.Limit <= logMax }

// used is what a sliding log holds: how many entries, and in how long the entry
// leaves whose departure frees the next slot.
type used struct {
	entries int
	leaves  time.Duration
}

// open is the decision on a request that found u and was let through.
func (u used) open(p Policy) Decision {
	return Decision{Verdict: Allowed, Remaining: max(0, p.Limit-u.entries), Reset: u.leaves}
}

// shut is the decision on a request that found no slot.
func (u used) shut() Decision {
	return Decision{Verdict: Denied, Reset: u.leaves, Retry: u.leaves}
}

// busy is the decision on a request that found only slots in use.
func (u used) busy(p Policy) Decision {
	return Decision{Verdict: Busy, Remaining: p.Limit - u.entries, Reset: u.leaves}
}

// leaver is the index, oldest first, of the entry that must leave before there
// is one slot more: the oldest, unless the limit was lowered meanwhile.
func leaver(entries, limit int) int { return max(0, entries-limit) }

// held is the decision under a lock that ends in rest.
func held(v Verdict, rest time.Duration) Decision {
	return Decision{Verdict: v, Reset: rest, Retry: rest}
}

// buckets estimates a sliding window from two fixed ones: the running count, and
// the previous one's in proportion to how much of it the window still covers.
type buckets struct {
	previous, current int
	elapsed           time.Duration // since the current bucket began; < window
}

// admits reports whether one more request stays within the limit, the estimate
// taken as exact: previous·(1 − elapsed/window) + current + 1 <= limit.
func (b buckets) admits(p Policy) bool {
	w := p.Window.Milliseconds()
	return int64(b.previous)*(w-b.elapsed.Milliseconds())+int64(b.current)*w <= int64(p.Limit-1)*w
}

// remaining is how many requests the limit still admits now.
func (b buckets) remaining(p Policy) int {
	w := p.Window.Milliseconds()
	inUse := int64(b.previous)*(w-b.elapsed.Milliseconds()) + int64(b.current)*w
	return int(max(0, (int64(p.Limit)*w-inUse)/w))
}

// until is how long the estimate takes to fall to at most n; 0 if it is there.
func (b buckets) until(p Policy, n int) time.Duration {
	w, e := p.Window.Milliseconds(), b.elapsed.Milliseconds()
	var at int64 // since the current bucket began
	switch {
	case int64(b.previous)*(w-e)+int64(b.current)*w <= int64(n)*w:
		return 0
	case b.current <= n: // within this bucket, as the previous one slides out
		at = w - int64(n-b.current)*w/int64(b.previous)
	default: // in the next bucket, where today's current is the previous
		at = w + w - int64(n)*w/int64(b.current)
	}
	return time.Duration(at-e) * time.Millisecond
}

// decide turns the state after the request, and whether it was counted, into
// the decision.
func (b buckets) decide(p Policy, counted bool) Decision {
	if !counted {
		retry := max(time.Millisecond, b.until(p, p.Limit-1))
		return Decision{Verdict: Denied, Reset: retry, Retry: retry}
	}
	left := b.remaining(p)
	if left >= p.Limit {
		return Decision{Verdict: Allowed, Remaining: p.Limit}
	}
	return Decision{Verdict: Allowed, Remaining: left, Reset: b.until(p, p.Limit-left-1)}
}
