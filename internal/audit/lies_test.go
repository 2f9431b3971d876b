package audit_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
)

// lies are what a small API can be told to do, each with the probe that must find it
// and the words that must name it. Package harness has a run find the same.
var lies = []struct {
	lie    string
	caught string
	words  string
}{
	{"six are judged", "LK2", "6 were judged before the lock"},
	{"the lock ends early", "LK5", "want 429"},
	{"lock key evicted", "LK4", "want 429"},
	{"any password will do", "LK3", "a wrong credential was accepted"},
	{"200 with success false", "LK1", "a wrong credential was answered as a right one, though with no token"},
	{"the right password is let in while locked", "LK3", "got 200, want 429"},
	{"accounts are locked, not addresses", "LK6", "got 429"},
	{"refusals are 200", "LK2", "got 200 to wrong sign-in 6, want 429"},
	{"one answer in a hundred dropped", "LK23", "no answer"},
	{"restarts that forget", "LK8", "5×401"},
	{"counters that lie", "LK30", "the server counted"},
	{"the headers count wrong", "LK1", "X-RateLimit-Remaining"},
	{"Retry-After 0", "LK2", `Retry-After is "0", want 4`},
	{"Retry-After too short", "LK2", `Retry-After is "2", want 4`},
	{"no Retry-After", "LK2", `Retry-After is "", want 4`},
	{"leftmost X-Forwarded-For", "LK17", "with forged address headers were judged"},
	{"leftmost X-Forwarded-For", "LK32", "resets were granted to one address by forged addresses"},
	{"errors of two forms", "SH9", "the error is text/plain"},
	{"a guard hides errors of two forms", "SH9", "unknown path, signed in (404): the error is text/plain"},
	{"a guard hides errors of two forms", "SH9", "get of an unknown object (404): the error is text/plain"},
	{"success clears the whole address", "LK14", "a success of another account cleared the address"},
	{"lock extended by attempts", "LK4", "Retry-After"},
	{"GET then INCR", "LK8", "5×401"},
	{"failures are never forgotten", "LK16", "got 429, want 401"},
	{"hanging up is a refund", "LK27", "whose client hung up"},
	{"sign-in is a page", "LK13", "without the access_token that the profile says it has"},
	{"any password will do", "AU1", "a wrong credential was accepted"},
	{"any password will do", "AU2", "a wrong credential was accepted"},
	{"unknown accounts are told", "AU1", "of an unknown account got 404, [3] wrong password of a known account got 401: want the same"},
	{"limiter on the raw path", "LK20", "by mixing spellings"},
	{"guests alone are limited", "LK20", "beside a session"},
	{"refresh reuse accepted", "AU4", "got 200, want 401"},
	{"foreign objects readable", "AU10", "got 200"},
	{"who is not signed in may delete", "AU10", "delete of an object by nobody signed in: got 204"},
	{"who is not signed in may list", "AU10", "list by nobody signed in: got 200"},
	{"everybody's things are listed", "AU10", "is in the list"},
	{"others are refused, and things are changed", "AU10", "update of another's object: answered 404, and took effect: "},
	{"others are refused, and things are deleted", "AU10", "delete of another's object: answered 404, and took effect: "},
	{"nobody is refused, and things are changed", "AU10", "update of an object by nobody signed in: answered 401, and took effect: "},
	{"nobody is refused, and things are deleted", "AU10", "delete of an object by nobody signed in: answered 401, and took effect: "},
	{"fields are refused, and set", "AU11", "update with role: answered 422, and took effect: "},
	{"keys in capitals are taken", "SH6", "the value under the second key took effect"},
	{"a date breaks the list", "SH7", "want a list that is whole"},
	{"few connections for all", "SH8", "idle, want 200 at once"},
	{"dead tokens spend the owner's quota", "AU12", "its owner, with a token that is alive, got 429"},
	{"sessions survive a change", "AU6", "got 200, want 401"},
	{"signing out ends nothing", "AU13", "me with a dead token: got 200 after signing out, want 401"},
	{"anybody signed in is an admin", "AU14", "by an ordinary account: got 200"},
	{"refresh tokens outlive signing out", "AU13", "the refresh token still buys a session"},
}

// Every lie is found and named, by the probe that is for it.
func TestLiesAreFoundAndNamed(t *testing.T) {
	t.Parallel()
	for _, c := range lies {
		t.Run(c.lie, func(t *testing.T) {
			t.Parallel()
			rep := examine(t, c.lie, c.caught)
			f := rep.Findings[0]
			if f.Status != audit.Fail || !strings.Contains(f.Reason, c.words) {
				t.Errorf("%s: got %v %q, want a failure with %q", c.caught, f.Status, f.Reason, c.words)
			}
		})
	}
}

// Whoever answers all changes alike, and makes only those of the owner, lets nobody else in.
func TestASuccessWithoutEffectIsNone(t *testing.T) {
	t.Parallel()
	f := examine(t, "what has no effect is a success", "AU10").Findings[0]
	if f.Status != audit.Pass || len(f.Notes) != 4 || !strings.Contains(f.Notes[1], "delete of another's object: got 204 without effect") {
		t.Errorf("got %v %q, notes %q, want PASS with four notes", f.Status, f.Reason, f.Notes)
	}
}

// What only repeats a first cause says so; what has a cause of its own does not.
func TestWhatFollowsIsMarked(t *testing.T) {
	t.Parallel()
	rep := examine(t, "six are judged", "LK1", "LK2", "LK3", "LK4", "LK6", "LK14", "LK17")
	for _, f := range rep.Findings {
		switch {
		case f.ID == "LK2" && (f.Status != audit.Fail || f.Follows != ""):
			t.Errorf("LK2: got %v, follows %q, want the first cause", f.Status, f.Follows)
		case f.Status == audit.Fail && f.ID != "LK2" && f.Follows != "LK2":
			t.Errorf("%s does not follow from LK2: %s", f.ID, f.Reason)
		case f.ID == "LK14" && strings.Contains(f.Reason, "cleared the address"):
			t.Errorf("LK14 names a cause that is none: %s", f.Reason)
		}
	}
	for _, f := range examine(t, "leftmost X-Forwarded-For", "LK1", "LK2", "LK17").Findings {
		if f.Follows != "" {
			t.Errorf("%s follows from %s, which held", f.ID, f.Follows)
		}
	}
}

// A sound API is accused of nothing, whatever its statuses, and asked again at once,
// within its own locks, as little.
func TestNobodyIsAccusedForTheirStatuses(t *testing.T) {
	if testing.Short() {
		t.Skip("audits a small server three times, half a minute; run without -short")
	}
	for _, c := range []struct{ wrong, refused int }{{401, 429}, {400, 423}, {403, 503}} {
		t.Run(fmt.Sprintf("%d and %d", c.wrong, c.refused), func(t *testing.T) {
			t.Parallel()
			s := audittest.New("")
			s.Wrong, s.Refused = c.wrong, c.refused
			var quick []string
			for _, p := range probes(t, audit.Intrusive) {
				// Side by side those that look at the clock would see each other.
				if !slices.Contains([]string{"SH4", "AU2", "AU8", "AU7"}, p.ID) {
					quick = append(quick, p.ID)
				}
			}
			rep := examined(t, s, quick...)
			if got := red(rep); len(got) > 0 {
				t.Errorf("red at %v:\n%s", got, show(rep))
			}
			for _, f := range rep.Findings {
				if f.Status == audit.Skip && !strings.Contains(f.Reason, "simultaneous") {
					t.Errorf("%s was skipped: %s", f.ID, f.Reason)
				}
			}
		})
	}
}

// An undeclared status is named, and accuses nobody.
func TestAnUndeclaredStatusIsNamed(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	s.Refused = 423 // not what its profile says
	rep := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK2", "LK3", "LK4", "LK6", "LK14", "LK17"), g, audit.Options{Patience: time.Minute})
	for _, f := range rep.Findings {
		if f.Status != audit.Skip || !strings.Contains(f.Reason, "423 is no answer that is known") {
			t.Errorf("%s: got %v %q, want it skipped for 423", f.ID, f.Status, f.Reason)
		}
	}
	for _, v := range rep.Violations {
		t.Errorf("accused: %v", v)
	}
}

// What an earlier audit left locked is skipped with the time to wait, and
// accuses nobody.
func TestWhatWasLeftLockedAccusesNobody(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	home := g.Source(1)
	g.Source = func(uint64) netip.Addr { return home } // where an audit was that began in the same second
	first := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK1"), g, audit.Options{})
	again := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK1"), g, audit.Options{})
	if f := again.Findings[0]; f.Status != audit.Skip || len(first.Violations)+len(again.Violations) > 0 {
		t.Errorf("got %v %q, violations %v and %v, want it skipped and none", f.Status, f.Reason, first.Violations, again.Violations)
	}
}

func TestWhatWasLeftLockedIsNamed(t *testing.T) {
	t.Parallel()
	s := audittest.New("")
	g := s.Serve(t)
	g.Source = nil // all from one address of this machine's
	first := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK2"), g, audit.Options{})
	again := audit.Run(t.Context(), probes(t, audit.Intrusive, "LK2"), g, audit.Options{})
	if f := first.Findings[0]; f.Status != audit.Pass {
		t.Errorf("the first time: got %v %q", f.Status, f.Reason)
	}
	if f := again.Findings[0]; f.Status != audit.Skip || !strings.Contains(f.Reason, "left it locked; wait ") {
		t.Errorf("the second time: got %v %q, want it skipped with the wait", f.Status, f.Reason)
	}
}
