package audit

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Burst releases all requests at one barrier, each on an open connection of its
// own, so that neither dialling nor parsing is part of the race. Answers are in the
// order of the requests. It tries again, at most three times, only when nothing was
// released. What is found wrong counts in any case; but a burst that was released
// too slowly to be one moment proves nothing good, and its probe passes no more.
func (t *T) Burst(qs []Request) []Answer {
	as, tight := t.volley(qs)
	if !tight {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.wide = true
	}
	return as
}

// atOnce carries out an attempt that has a Burst in it, again from its beginning
// where that was released too slowly, three times in all. What is found wrong ends it.
func (t *T) atOnce(attempt func()) {
	for try := 1; ; try++ {
		attempt()
		t.mu.Lock()
		again := t.wide && len(t.failures) == 0 && try < 3
		if again {
			t.wide = false
		}
		t.mu.Unlock()
		if !again {
			return
		}
	}
}

// volley is Burst for probes that try again by themselves, or that do not care how
// far apart the requests were released.
func (t *T) volley(qs []Request) (as []Answer, tight bool) {
	sent := make([]Request, len(qs))
	for i := range qs {
		sent[i] = ready(&qs[i])
	}
	answers, _, err := t.client().Burst(t.ctx, sent)
	for tries := 1; tries < 3 && answers == nil && err != nil && t.ctx.Err() == nil; tries++ {
		answers, _, err = t.client().Burst(t.ctx, sent)
	}
	if answers == nil && len(qs) > 0 {
		t.Skip("the burst could not be released: %v", err)
	}
	if err != nil {
		t.Note("%v", err)
	}
	as = make([]Answer, len(qs))
	for i := range qs {
		as[i] = t.record(qs[i], answers[i])
	}
	return as, err == nil
}

// repeat is n requests alike.
func repeat(n int, one func(i int) Request) []Request {
	out := []Request{}
	for i := range n {
		out = append(out, one(i))
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
