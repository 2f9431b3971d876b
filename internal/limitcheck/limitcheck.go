// Package limitcheck checks, from nothing but what a client saw, that a limiter
// kept its promises: who was judged, who was refused, until when (rules
// J1 to J7). It reads a stream of answers in bounded memory, needs no
// cooperation of the server, and accuses only when every possible order of what
// happened inside the server breaks the promise: an answer was judged at some
// moment between its sending and its arrival, and the checker assumes the moment
// that is best for the server.
package limitcheck

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Event is one answer of a limited operation.
type Event struct {
	Sent, Done time.Time
	From       netip.Addr // client address
	User       string     // whose credential was sent, or who is signed in; "" = nobody
	Policy     string
	Status     int    // 0 = no answer
	Limit      int    // X-RateLimit-Limit; -1 = not sent
	Remaining  int    // X-RateLimit-Remaining; -1 = not sent
	RetryAfter int    // seconds; -1 = not sent, or unreadable
	Unread     string // the Retry-After that was sent and cannot be read; "" = none
	ID         string // X-Request-ID
	Step       string // name for people
	// Unsure says that nobody outside knows whether the answer counts under the
	// user, as one to a token that may have ended, or whether it counts at all, as one
	// to another spelling of the path: it may explain what is counted, and proves
	// nothing.
	Unsure bool
}

// Options say how much the checker may know.
type Options struct {
	Shared bool // others send from the same addresses or as the same users: what they earned is not ours to see
	Keys   int  // records kept at once; 0 = 8192. Past it the longest silent is forgotten, and counted
}

// Means says what each rule promises, by its name.
var Means = map[string]string{
	"J1": "no more failures are judged, or requests admitted, in any window than the limit says",
	"J2": "nothing is judged while a lock lasts",
	"J3": "the first attempt after a lock's end is judged",
	"J4": "nobody is refused who has not earned it, by the address or the account",
	"J5": "a refusal says how long to wait, and whoever waits that long is not refused again",
	"J6": "what an answer says is left agrees with what was counted",
	"J7": "a lock ends when the first refusal said: attempts neither prolong nor shorten it, and it lasts as long as promised",
}

// slack is how far clocks and whole seconds may put a lock's end off: ±1 s is
// what J7 grants.
const slack = time.Second

// Violation is a broken invariant, with the answers that show it.
type Violation struct {
	Rule   string  `json:"rule"` // J1 … J7
	Policy string  `json:"policy"`
	Key    string  `json:"key"` // whose count
	Words  string  `json:"words"`
	Shown  []Shown `json:"shown"`

	// Follows is what found the same in the same requests, as a probe of an audit; "" = nothing.
	Follows string `json:"follows,omitempty"`
}

// Shown is one answer of a violation.
type Shown struct {
	At         time.Time `json:"at"` // sent
	Took       float64   `json:"took_ms"`
	Step       string    `json:"step"`
	Status     int       `json:"status"`
	Remaining  int       `json:"remaining"`   // -1 = not sent
	RetryAfter int       `json:"retry_after"` // -1 = not sent
	ID         string    `json:"request_id,omitempty"`
}

// String is the violation with its requests, one to a line.
func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s: ", v.Rule, v.Policy, v.Key)
	if v.Follows != "" {
		fmt.Fprintf(&b, "follows from %s: ", v.Follows)
	}
	b.WriteString(v.Words)
	for _, s := range v.Shown {
		fmt.Fprintf(&b, "\n  %s +%.0f ms  %s → %d", s.At.Format("15:04:05.000"), s.Took, s.Step, s.Status)
		if s.Remaining >= 0 {
			fmt.Fprintf(&b, ", remaining %d", s.Remaining)
		}
		if s.RetryAfter >= 0 {
			fmt.Fprintf(&b, ", Retry-After %d", s.RetryAfter)
		}
		if s.ID != "" {
			fmt.Fprintf(&b, "  %s", s.ID)
		}
	}
	return b.String()
}

// maxViolations is how many are kept; the rest is counted.
const maxViolations = 100

// Checker reads a stream of events. Events of one key come about in the order in
// which they ended. It is safe for concurrent use.
type Checker struct {
	rules map[string]Rule
	o     Options

	mu        sync.Mutex
	keys      map[key]*track
	oldest    *track // of the list of tracks by last use
	newest    *track
	users     map[string]*account
	names     map[string][]string // how each user was spelled, by the folded name
	events    int64
	epoch     time.Time // entries count from here
	forgotten int64
	doubted   bool // what was counted before is not all known: a refusal proves nothing
	lost      bool // failures of users were dropped for room: any of them may be throttled
	unspelled bool // spellings found no room: any name may have had others
	found     []Violation
	more      int64
}

type key struct {
	policy string
	addr   netip.Addr
	user   string
}

func (k key) String() string {
	switch {
	case k.user != "" && k.addr.IsValid():
		return "user " + k.user + " from " + k.addr.String()
	case k.user != "":
		return "user " + k.user
	case !k.addr.IsValid():
		return "this machine's address"
	}
	return k.addr.String()
}

// New makes a checker of the rules, by policy.
func New(rules map[string]Rule, o Options) *Checker {
	if o.Keys == 0 {
		o.Keys = 8192
	}
	return &Checker{rules: rules, o: o, keys: map[key]*track{}, users: map[string]*account{}, names: map[string][]string{}}
}

// Events is how many events were looked at.
func (c *Checker) Events() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.events
}

// Violations is how many were found so far. What waits for later answers may add to
// them.
func (c *Checker) Violations() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(len(c.found)) + c.more
}

// Forgotten is how many records were dropped for room, and how many violations
// beyond the first hundred.
func (c *Checker) Forgotten() (records, violations int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forgotten, c.more
}

// Add looks at one event. Events of policies without a rule are passed over.
func (c *Checker) Add(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rule, ok := c.rules[e.Policy]
	if !ok || rule.Limit < 1 {
		return
	}
	if c.events++; c.events == 1 {
		c.epoch = e.Sent
	}
	if rule.By != Address {
		c.spelled(e.User)
	}
	if rule.By == User && e.User == "" && rule.wrong(e.Status) {
		e.Unsure = true // who is not signed in is nobody's count
	}
	throttled := c.seen(rule, &e)
	of := keysOf(rule, &e)
	for _, k := range of.keys[:of.n] {
		c.track(k, rule).add(c, &e, throttled, of.n > 1)
	}
}

// counts are the one or two counts that an event is in.
type counts struct {
	keys [2]key
	n    int
}

func keysOf(rule Rule, e *Event) counts {
	address := key{policy: e.Policy, addr: e.From.Unmap()}
	user := key{policy: e.Policy, user: e.User}
	switch {
	case rule.By == Pair && e.User == "":
		return counts{} // nobody knows whose
	case rule.By == Pair:
		return counts{[2]key{{e.Policy, e.From.Unmap(), e.User}}, 1}
	case rule.By == Address || e.User == "":
		return counts{[2]key{address}, 1}
	case rule.By == User && !e.Unsure:
		return counts{[2]key{user}, 1}
	}
	return counts{[2]key{address, user}, 2}
}

// Doubt says that something is done to the server on purpose: it may forget what
// it has counted, and from now on refuse sooner than the rules say. A lock it may
// not forget: what is judged inside one, and a lock that moves, is accused all the
// same, and so is what is judged too often from here on.
func (c *Checker) Doubt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doubted = true
	for t := c.oldest; t != nil; t = t.next {
		for i := range t.counted {
			t.counted[i].certain = false
		}
		t.windows = windows{}
		t.suspect, t.odd = nil, nil
	}
}

// Settle decides what waited for later answers, because none is under way, and
// gives all violations so far, in the order they were found. Counts and locks
// stay as they are, for what comes later.
func (c *Checker) Settle() []Violation {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t := c.oldest; t != nil; t = t.next {
		t.settle(c, time.Time{})
	}
	return slices.Clone(c.found)
}

// Finish is Settle at the end: it judges what is left of the locks as well. The
// checker is empty afterwards.
func (c *Checker) Finish() []Violation {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t := c.oldest; t != nil; t = t.next {
		t.settle(c, time.Time{})
		t.close(c)
	}
	c.keys, c.oldest, c.newest = map[key]*track{}, nil, nil
	return c.found
}

func (c *Checker) accuse(rule string, t *track, words string, shown ...*Event) {
	if len(c.found) >= maxViolations {
		c.more++
		return
	}
	v := Violation{Rule: rule, Policy: t.key.policy, Key: t.key.String(), Words: words}
	for _, e := range shown {
		v.Shown = append(v.Shown, Shown{
			At: e.Sent.UTC(), Took: float64(e.Done.Sub(e.Sent).Microseconds()) / 1000, Step: e.Step, Status: e.Status,
			Remaining: e.Remaining, RetryAfter: e.RetryAfter, ID: e.ID,
		})
	}
	c.found = append(c.found, v)
}

// track finds or makes the record of a key, and makes it the newest.
func (c *Checker) track(k key, rule Rule) *track {
	t, ok := c.keys[k]
	if ok {
		c.unlink(t)
	} else {
		if len(c.keys) >= c.o.Keys {
			old := c.oldest
			old.settle(c, time.Time{})
			old.close(c)
			c.unlink(old)
			delete(c.keys, old.key)
			c.forgotten++
		}
		t = &track{key: k, rule: rule, epoch: c.epoch}
		// What was forgotten may have been this one's.
		t.rule.Partial = rule.Partial || c.forgotten > 0
		c.keys[k] = t
	}
	if t.prev = c.newest; t.prev != nil {
		t.prev.next = t
	} else {
		c.oldest = t
	}
	t.next, c.newest = nil, t
	return t
}

func (c *Checker) unlink(t *track) {
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		c.oldest = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	} else {
		c.newest = t.prev
	}
	t.prev, t.next = nil, nil
}
