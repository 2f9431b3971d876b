package audit

import (
	"slices"
	"strings"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
)

// judge reads the answers to one of the profile's operations that take a
// credential. Without a limit that it counts under, every refusal is 429.
func (t *T) judge(operation string) profile.Judge {
	op := t.Operation(operation)
	policy := op.Policy
	if policy == "" {
		policy = profile.API
	}
	l, _ := t.target.named(policy)
	return t.target.Profile.Judge(operation, l)
}

// read tells what an answer to a credential says; what nobody declared, or a
// redirect, proves nothing either way and ends the probe.
func (t *T) read(operation string, a Answer) profile.Reading {
	j, wait := t.judge(operation), a.RetryAfter()
	r := j.Read(a.Status, time.Duration(max(0, wait))*time.Second, wait >= 0)
	if r == profile.Unknown {
		where := a.to()
		if where != "" {
			where = "; it redirects" + where
		}
		t.Skip("%v: %s%s", a, j.Undeclared(map[int]int{a.Status: 1}), where)
	}
	if r == profile.Nothing && j.Refuses(a.Status, wait >= 0) {
		r = profile.Refused // a probe that wants to know is the only load
	}
	return r
}

// WantWrong checks that an answer says that a credential is wrong.
func (t *T) WantWrong(operation string, a Answer) bool {
	r, more, want := t.read(operation, a), "", profile.Statuses(t.judge(operation).Wrong)
	if r == profile.Granted {
		more = ": a wrong credential was answered as a right one, though with no token"
		accepted := a.Status/100 != 2 || len(t.target.Profile.Secrets(a.Body)) > 0
		switch {
		case accepted:
			more = ": a wrong credential was accepted"
		case len(a.Header["Set-Cookie"]) > 0:
			more = ": a wrong credential was answered as a right one, with a cookie"
		}
		if accepted || t.Operation(operation).Refuse != 0 {
			return t.declares(operation, false, "%v: got %s, want %s%s", a, a.got(), want, more)
		}
	}
	return t.counts(operation, r == profile.Wrong, "%v: got %s, want %s%s", a, a.got(), want, more)
}

// declares is Check for an answer that the profile declares of an operation, as that a
// wrong credential is refused: what breaks it fails, whatever the probe rests on.
func (t *T) declares(operation string, ok bool, format string, args ...any) bool {
	if !t.Check(ok, format, args...) {
		t.mu.Lock()
		defer t.mu.Unlock()
		last := &t.failures[len(t.failures)-1]
		last.cause, last.declared = operation, operation
	}
	return ok
}

// refusers are the operations whose declared refusal a probe looks at: what breaks it fails
// in any profile, and so what could not be looked at is told.
var refusers = map[string][]string{"AU1": {"login"}, "AU2": {"login"}, "AU3": {"me"}, "AU13": {"me", "refresh"}}

// declared tells whether the profile declares how one of the probe's operations refuses.
func (t *T) declared() bool {
	return slices.ContainsFunc(refusers[t.probe.ID], func(name string) bool { return t.target.Profile.Operations[name].Refuse != 0 })
}

// WantRefused checks that a limit turned a credential away.
func (t *T) WantRefused(operation string, a Answer) bool {
	r := t.read(operation, a)
	return t.counts(operation, r == profile.Refused, "%v: got %s, want %s", a, a.got(), profile.Statuses(t.judge(operation).Refused))
}

// tallied are answers to an operation by what they say, and the rest by status.
func (t *T) tallied(operation string, as []Answer) (wrong, refused int, rest map[int]int) {
	j := t.judge(operation)
	rest = map[int]int{}
	for _, a := range as {
		switch wait := a.RetryAfter(); {
		case j.Refuses(a.Status, wait >= 0):
			refused++
		case slices.Contains(j.Wrong, a.Status):
			wrong++
		default:
			rest[a.Status]++
		}
	}
	return wrong, refused, rest
}

// counts is Check for what rests on how many credentials are judged, and how that is
// answered: when the probe that is for this fails, others fail for the same reason.
func (t *T) counts(operation string, ok bool, format string, args ...any) bool {
	if !t.Check(ok, format, args...) {
		t.because(operation)
	}
	return ok
}

// because gives the latest failure its cause.
func (t *T) because(cause string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures[len(t.failures)-1].cause = cause
}

// WantDead checks that a token that was ended is refused by an operation (see guarded).
func (t *T) WantDead(operation string, a Answer, words string) {
	t.counts(open, t.turned(operation, a), "%v: got %s%s, want %d or another refusal", a, a.got(), words, t.Operation(operation).Refusal())
}

// open is the cause of a failure where me is answered whatever token is sent, or none:
// then it answers to a dead one as well.
const open = "me to anybody"

// firstCauses are the probes that are for the answers to a credential, and for its
// limit; and the one that is for me.
var firstCauses = map[string][]string{"login": {"LK1", "LK2"}, "two_factor_verify": {"LK21"}, open: {"AU3"}}

// follow marks the findings that only repeat what another one says first: they
// failed first of all where a limit was not kept, or of nothing else where me is open,
// and the probe that is for this found it broken.
func follow(findings []Finding) {
	red := func(f Finding) bool { return f.Status == Fail || f.Status == Advice }
	for cause, ids := range firstCauses {
		first := ""
		for _, id := range ids {
			if i := slices.IndexFunc(findings, func(f Finding) bool { return f.ID == id && red(f) && slices.Contains(f.causes, cause) }); i >= 0 && first == "" {
				first = id
			}
		}
		for i := range findings {
			f := &findings[i]
			more := cause == open && slices.ContainsFunc(f.causes, func(one string) bool { return one != cause })
			if first != "" && f.ID != first && red(*f) && f.cause == cause && !more {
				f.Follows = first
			}
		}
	}
}

// shorten makes an account's address one that tells its owner nothing away:
// "us…@example.org".
func shorten(email string) string {
	name, domain, ok := strings.Cut(email, "@")
	if !ok {
		return email
	}
	return name[:min(2, len(name))] + "…@" + domain
}

// attribute marks the violations that tell the same as a probe that failed, with less of its
// cause: of the limit on sign-ins, when the probe that is for it failed, and else those
// whose requests are all of one probe; of several that ran meanwhile the shortest.
func attribute(violations []limitcheck.Violation, findings []Finding, login string) {
	first := slices.IndexFunc(findings, func(f Finding) bool { return f.Status == Fail && slices.Contains(firstCauses["login"], f.ID) })
	for i := range violations {
		v, took := &violations[i], time.Duration(0)
		unread := first >= 0 && findings[first].ID == "LK1" // which were wrong is not known then, nor how many counted
		if first >= 0 && v.Policy == login && (v.Rule == "J1" || v.Rule == "J4" && unread) {
			v.Follows = findings[first].ID
			continue
		}
		for _, f := range findings {
			began, ended := f.Began, f.Began.Add(time.Duration(f.Took))
			outside := func(s limitcheck.Shown) bool { return s.At.Before(began.Add(-time.Millisecond)) || s.At.After(ended) }
			if f.Status == Fail && len(v.Shown) > 0 && !slices.ContainsFunc(v.Shown, outside) && (v.Follows == "" || time.Duration(f.Took) < took) {
				v.Follows, took = f.ID, time.Duration(f.Took)
			}
		}
	}
}
