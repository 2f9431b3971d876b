package limit

import (
	"slices"
	"time"
)

// record is everything memory knows of one (policy, key). Times count from the
// limiter's start, on the monotonic clock: setting the wall clock back ends no
// lock and prolongs none.
type record struct {
	entries    []event       // failures judged, or requests counted, in order of time
	slots      []event       // checks in flight; at = end of the lease
	lock       time.Duration // when the lock ends; 0 = none
	cachedLock               // of the lock, where Redis keeps it

	bucket  int64 // number of the running bucket
	buckets       // limits above logMax

	streak int           // an account's failures without a success between
	forget time.Duration // when the streak is too old to matter
}

// event is a hash of the request's id, so that its size is known.
type event struct {
	at       time.Duration
	id, user uint64
}

// eventBytes is the size of an event; recordBytes is a guess at a record with
// its map entry, list element and key.
const (
	eventBytes  = 24
	recordBytes = 400
)

// bytes is what the record costs in memory, about.
func (r *record) bytes() int {
	return recordBytes + eventBytes*(cap(r.entries)+cap(r.slots))
}

// expire forgets what is over at now.
func (r *record) expire(p Policy, now time.Duration) {
	if r.lock <= now {
		r.lock = 0
	}
	if r.forget <= now {
		r.streak, r.forget = 0, 0
	}
	gone := 0
	for gone < len(r.entries) && r.entries[gone].at+p.Window <= now {
		gone++
	}
	r.entries = slices.Delete(r.entries, 0, gone)
	r.slots = slices.DeleteFunc(r.slots, func(e event) bool { return e.at <= now })
	if p.exact() && r.previous+r.current == 0 {
		return
	}
	bucket := int64(now / p.Window)
	switch bucket - r.bucket {
	case 0:
	case 1:
		r.previous, r.current = r.current, 0
	default:
		r.previous, r.current = 0, 0
	}
	r.bucket, r.elapsed = bucket, now%p.Window
}

// idle reports whether nothing is left to remember.
func (r *record) idle() bool {
	return r.lock == 0 && len(r.entries) == 0 && len(r.slots) == 0 &&
		r.previous+r.current == 0 && r.streak == 0
}

// used is the state of the log.
func (r *record) used(p Policy, now time.Duration) used {
	u := used{entries: len(r.entries)}
	if u.entries > 0 {
		u.leaves = r.entries[leaver(u.entries, p.Limit)].at + p.Window - now
	}
	return u
}

func has(events []event, id uint64) bool {
	return slices.ContainsFunc(events, func(e event) bool { return e.id == id })
}

func without(events []event, id uint64) []event {
	return slices.DeleteFunc(events, func(e event) bool { return e.id == id })
}

// begin is the twin of begin.lua, line for line.
func (r *record) begin(p Policy, now, lease time.Duration, id uint64) Decision {
	if r.lock > 0 {
		return held(Locked, r.lock-now)
	}
	u := r.used(p, now)
	switch {
	case has(r.slots, id):
		return u.open(p)
	case u.entries >= p.Limit && p.Lock > 0:
		r.lock, r.entries = now+p.Lock, nil
		return held(LockedNow, p.Lock)
	case u.entries >= p.Limit:
		return u.shut()
	case u.entries+len(r.slots) >= p.Limit:
		return u.busy(p)
	}
	r.slots = append(r.slots, event{at: now + lease, id: id})
	return u.open(p)
}

// commit is the twin of commit.lua.
func (r *record) commit(p Policy, now time.Duration, id uint64, o Outcome, user uint64) Decision {
	r.slots = without(r.slots, id)
	switch {
	case !p.exact():
		if o == Released && r.current > 0 {
			r.current--
		}
		return r.buckets.decide(p, true)
	case o == Failed && !has(r.entries, id):
		r.entries = append(r.entries, event{at: now, id: id, user: user})
	case o == Passed:
		r.entries = slices.DeleteFunc(r.entries, func(e event) bool { return e.user == user })
	case o == Released:
		r.entries = without(r.entries, id)
	}
	if r.lock > 0 {
		return Decision{Verdict: Allowed, Reset: r.lock - now}
	}
	return r.used(p, now).open(p)
}

// take is the twin of take.lua and buckets.lua.
func (r *record) take(p Policy, now time.Duration, id uint64) Decision {
	if !p.exact() {
		counted := r.admits(p)
		if counted {
			r.current++
		}
		return r.decide(p, counted)
	}
	if !has(r.entries, id) {
		if len(r.entries) >= p.Limit {
			return r.used(p, now).shut()
		}
		r.entries = append(r.entries, event{at: now, id: id})
	}
	return r.used(p, now).open(p)
}
