package importer

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// learnRefusals says what captured refusals tell of the calls that were answered as well: how
// a sign-in refuses a wrong password, and other calls whoever shows no token, be it for another
// object of the same kind. It gives how many tell something.
func (d *outline) learnRefusals(all, refused []exchange, steps []step, calls []*call) (telling int) {
	for _, r := range refused {
		i := d.asking(r, all, steps, func(string) bool { return false })
		if i < 0 {
			i = d.asking(r, all, steps, func(segment string) bool { // one that nobody told may not be there
				return r.status != http.StatusNotFound && idLike.MatchString(segment) || slices.ContainsFunc(all, func(x exchange) bool { return tellsID(x.answer, segment) })
			})
		}
		deleted := r.status == http.StatusNotFound && slices.ContainsFunc(all, func(x exchange) bool {
			return x.method == "DELETE" && x.url.Path == r.url.Path && x.began.Before(r.began)
		})
		if i < 0 || deleted || r.status >= 500 || r.status == http.StatusTooManyRequests {
			continue
		}
		n := slices.IndexFunc(calls, func(c *call) bool { return c.method == r.method && c.path == kindOf(steps[i].path) })
		if n < 0 {
			continue
		}
		switch c := calls[n]; {
		case c.kind == isLogin:
			if telling++; c.told == nil { // the first, for a later one may be locked
				c.refuse, c.told = []int{r.status}, map[int]string{r.status: "wrong credential"}
			}
		case c.signed && !r.signed:
			telling++
			c.bare = cmp.Or(c.bare, r.status)
		}
	}
	return telling
}

// asking is the exchange that asks what r does, but for ids in its path and for its query; -1 =
// there is none.
func (d *outline) asking(r exchange, all []exchange, steps []step, isID func(string) bool) int {
	theirs := strings.Split(r.url.EscapedPath(), "/")
	for i, x := range all {
		own, kind := strings.Split(x.url.EscapedPath(), "/"), strings.Split(kindOf(steps[i].path), "/")
		if x.method != r.method || x.url.Scheme != r.url.Scheme || x.url.Host != r.url.Host || len(own) != len(theirs) || len(own) != len(kind)+d.base {
			continue
		}
		same := true
		for n := range own {
			same = same && (own[n] == theirs[n] || n > d.base && kind[n-d.base] == "{id}" && isID(theirs[n]))
		}
		if same {
			return i
		}
	}
	return -1
}

// tellsID tells whether an answer has an id, in whichever of its entries.
func tellsID(answer any, id string) (told bool) {
	replaced(answer, func(key string, v any) (any, bool) {
		_, _, named := idName(key)
		told = told || named && isScalar(v) && fmt.Sprint(v) == id
		return v, told
	})
	return told
}

// errNoSignIn is why a limit that a sentence promises is on nothing.
var errNoSignIn = errors.New("a limit on sign-ins is promised, but nothing in it signs in with a password")

// checkSentence tells why a sentence is no limit.
func checkSentence(sentence string) error {
	switch l := readLimit(sentence); {
	case l.trouble != "":
		return fmt.Errorf("--limit %q: %s (a sentence as %q)", sentence, l.trouble, exampleLimit)
	case !l.said() && l.grows:
		return fmt.Errorf("--limit %q: a wait that grows is no limit in a window: leave --limit out, and write limit and delay: into the profile", sentence)
	case !l.said():
		return fmt.Errorf("no count and time were found in %q: want a sentence as %q", sentence, exampleLimit)
	}
	return nil
}

// promised is the limit on sign-ins that a sentence of the user's documents promises.
func (d *outline) promised(sentence string) error {
	if err := checkSentence(sentence); err != nil {
		return err
	}
	login, ok := d.operations[string(isLogin)]
	if !ok {
		return errNoSignIn
	}
	t := told429{c: &call{kind: isLogin, method: login.method, path: login.path}, status: refusedWith.FindString(sentence), description: sentence}
	if t.status == "" {
		t.status = "429"
	}
	l := t.line(string(isLogin), "")
	d.limits = slices.DeleteFunc(d.limits, func(other limit) bool { return other.policy == l.policy })
	d.limits = append(d.limits, l)
	login.policy = string(isLogin)
	d.operations[string(isLogin)] = login
	d.say("the limit on sign-ins was read as: %s", l.sentence())
	return nil
}

const exampleLimit = "5 failed attempts in 5 minutes per address, then locked for 15 minutes"

// sentence is a limit as it was understood, for the user to compare with what was meant.
func (l limit) sentence() string {
	counts, by := l.counts, l.by
	if counts == "" {
		counts = "requests"
	}
	if by == "" {
		by = "address"
	}
	s := fmt.Sprintf("%d %s by %s", l.limit, counts, by)
	if l.window > 0 {
		s += " in " + span(l.window)
	}
	if l.lock > 0 {
		s += ", then locked for " + span(l.lock)
	}
	return s
}
