package audit

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

func lockoutBypass() []Probe {
	return []Probe{
		{
			ID: "LK17", Title: "forged address headers do not shake the lock off", Guide: "production-guide:156", Class: Intrusive, run: forgedAddresses,
			Why: "Whoever believes the leftmost X-Forwarded-For gives every guess an address of its own.",
			Fix: "Take the header only from a trusted proxy's own connection, from the right, in the one header it writes.",
		},
		{
			ID: "LK20", Title: "spellings of the path, and of the account, share one count", Guide: "production-guide:156", Class: Intrusive, run: spellings,
			Why: "A limiter on the raw path counts /login, //login and /%6cogin each on its own, and one for guests alone lets who has a session guess on.",
			Fix: "Key limits on the route that will serve the request, found once.",
		},
		{
			ID: "LK25", Title: "malformed sign-ins and preflights neither count as failures nor come free", Guide: "production-guide:156", Class: Intrusive, run: malformed,
			Why: "Failures that are not about a credential lock honest clients out; requests that cost nothing are for flooding.",
			Fix: "Refuse by form before the limiter takes a place, and count the refusal against the general quota; never count preflights.",
		},
		{
			ID: "LK27", Title: "hanging up is no refund", Guide: "production-guide:155", Class: Intrusive, run: hangingUp,
			Why: "A guess whose answer is not waited for still tells by its side effects; if it is not counted, guessing is free.",
			Fix: "Finish and record the verification whatever the client does.",
		},
	}
}

func forgedAddresses(t *T) {
	if t.target.Forward {
		t = t.distrusting()
	}
	limit := t.Limit("login").Limit
	a, judged := t.guessForging(3*limit, "")
	switch {
	case t.read("login", a) != profile.Refused:
		t.counts("login", false, "%d wrong sign-ins with forged address headers were judged, want %d%s", judged, limit, t.believed(limit, judged))
	case judged == t.run.where(t.target):
		t.counts("login", false, "%v: refused after %d, want %d", a, judged, limit)
	default:
		t.Check(judged == limit, "%v: refused after %d, want %d", a, judged, limit)
	}
}

// believed says which header alone shakes the limit off, or that none is needed.
func (t *T) believed(limit, forged int) string {
	if t.target.Source == nil {
		return "" // the one address is spent
	}
	a, plain := t.meet(t.Address(), unknownAccount(), 0)
	switch {
	case t.read("login", a) != profile.Refused:
		return "; without one no limit is met either"
	case plain >= forged:
		return fmt.Sprintf("; without one %d are judged as well", plain)
	}
	limit = max(limit, plain)
	var alone []string
	for _, name := range t.bypass().headers() {
		if a, n := t.guessForging(limit+1, name); n > limit && t.read("login", a) != profile.Refused {
			alone = append(alone, name)
		}
	}
	switch len(alone) {
	case 0:
		return ", and no header alone does it"
	case 1:
		return ": " + alone[0] + " is believed"
	}
	return ": " + strings.Join(alone, ", ") + " are believed"
}

// distrusting is the same probe against an API of its own that trusts no proxy.
func (t *T) distrusting() *T {
	if t.run.o.Owner == nil {
		t.Skip("this driver is a trusted proxy of the target, so nothing it sends is forged; LK18 looks at what a proxy is believed")
	}
	t.Note("this driver is a trusted proxy of the target: this is an API of its own that trusts nobody")
	t, _ = t.Launch(Launch{Postgres: true, Redis: true})
	return t
}

// guessForging guesses from one address with another one in every header, or in the one
// named, until the first refusal and at most so often. It gives the last answer and how
// many were judged.
func (t *T) guessForging(most int, only string) (a Answer, judged int) {
	from, email, ways := t.Address(), unknownAccount(), t.bypass()
	for i := range most {
		q := t.Login(from, email, wrongPassword())
		q.Label = "wrong password, forged addresses"
		ways.forge(&q, i, only)
		a = t.Send(q)
		if i == 0 && only == "" {
			t.first("login", q, a)
		}
		if t.read("login", a) == profile.Refused {
			return a, judged
		}
		if !t.WantWrong("login", a) {
			t.Stop()
		}
		judged++
	}
	return a, judged
}

func spellings(t *T) {
	l, wrong := t.Limit("login"), t.judge("login").Wrong
	email := unknownAccount()
	reaching := t.reaching()
	from := t.Address()
	if from.IsValid() && l.By != "" && l.By != profile.ByAddress && len(t.target.Accounts) > 0 {
		t.accountSpellings(l)
	}
	// guess tells whether a wrong sign-in by a spelling was judged.
	guess := func(from netip.Addr, i int, v variant) bool {
		q := t.Login(from, email, wrongPassword())
		v.change(i, &q)
		q.Label = v.name + ": " + q.Method + " " + q.Path
		a := t.Send(q)
		if i == 0 {
			t.first("login", q, a)
		}
		return slices.Contains(wrong, a.Status) && !t.judge("login").Refuses(a.Status, a.RetryAfter() >= 0)
	}
	judged := 0
	for i := range 4 * len(reaching) {
		if guess(from, i, reaching[i%len(reaching)]) {
			judged++
		}
	}
	if judged > l.Limit {
		t.counts("login", false, "%d wrong sign-ins were judged by mixing spellings, want at most %d%s", judged, l.Limit, t.apart(reaching, email, guess))
	} else {
		t.Check(true, "")
	}
	for judged < l.Limit {
		if !t.WantWrong("login", t.Guess(from, email)) {
			return
		}
		judged++
	}
	t.WantRefused("login", t.Guess(from, email))
}

// apart says which spellings are judged where the plain one is refused already.
func (t *T) apart(reaching []variant, email string, guess func(netip.Addr, int, variant) bool) string {
	from := t.plain()
	if !from.IsValid() {
		return "" // the one address is spent
	}
	if a, _ := t.meet(from, email, 0); t.read("login", a) != profile.Refused {
		return "; by one spelling alone no limit is met either"
	}
	var names []string
	for i, v := range reaching {
		if guess(from, i, v) {
			names = append(names, v.name)
		}
	}
	if len(names) == 0 {
		return ", though no spelling is judged once the plain one is refused"
	}
	return ": once the plain one is refused, these are still judged: " + strings.Join(names, ", ")
}

// reaching are the spellings of a sign-in that reach it: by which the right password
// signs in, and a wrong one is refused, for a guard may redirect whatever comes as a
// sign-in does. Where that cannot be tried, they are those of servers that answer a wrong
// password otherwise than a path that is not there. The plain one is the last.
func (t *T) reaching() (out []variant) {
	plain := variant{name: "as it is", change: func(int, *Request) {}}
	all := t.bypass().variants(t.Login(netip.Addr{}, unknownAccount(), wrongPassword()))
	if t.target.Source == nil || len(t.target.Accounts) == 0 {
		q := t.Login(t.plain(), unknownAccount(), wrongPassword())
		q.Path, q.Policy, q.Label = spell("{{folder}}vitals-audit-no-such-path", q.Path, 0), "", "unknown path"
		if a := t.Send(q); slices.Contains(t.judge("login").Wrong, a.Status) {
			t.Note("other spellings were not tried: a path that is not there is answered %d as a wrong password is, and no account could sign in by one", a.Status)
			all = nil
		}
		// Another form of the body may be refused as a wrong password, and counted by nobody.
		return append(slices.DeleteFunc(all, func(v variant) bool { return v.reshaped }), plain)
	}
	acc := t.Account()
	if token, ok := t.Operation("login").Field(t.SignIn(t.Address(), acc).Body, "access_token"); ok && token != "" {
		all = append(all, variant{name: "beside a session", change: func(_ int, q *Request) {
			q.Header = q.Header.Clone()
			if q.Header == nil {
				q.Header = http.Header{}
			}
			q.Header.Set("Authorization", "Bearer "+token)
		}})
	}
	var not []string
	for i, v := range all {
		q := t.Login(t.Address(), acc.Email, acc.Password)
		v.change(i, &q)
		q.Label, q.Policy = "right password, "+v.name, "" // nobody knows what it counts under
		a := t.keep("login", values{"email": acc.Email}, t.Send(q))
		if t.Operation("login").Succeeded(a.Status) && (q.Method == http.MethodHead || t.opened(a)) && t.refusesBy(i, v) {
			out = append(out, v.known())
		} else {
			not = append(not, v.name)
		}
	}
	if len(not) > 0 {
		t.Note("no sign-in: %s", strings.Join(not, ", "))
	}
	return append(out, plain)
}

// refusesBy tells whether a wrong password is refused by a spelling as one is.
func (t *T) refusesBy(i int, v variant) bool {
	q := t.Login(t.Address(), unknownAccount(), wrongPassword())
	v.change(i, &q)
	q.Label, q.Policy = "wrong password, "+v.name, ""
	a := t.Send(q)
	return slices.Contains(t.judge("login").Wrong, a.Status)
}

// opened tells whether a sign-in's success is one: a 2xx may be an error in disguise,
// any other status was declared.
func (t *T) opened(a Answer) bool {
	return a.Status/100 != 2 || len(t.target.Profile.Secrets(a.Body)) > 0
}

// accountSpellings guesses at an account by those of its other names that sign it in:
// together they have the account's one count. Each guess comes from an address of its
// own, but where address and account count together.
func (t *T) accountSpellings(l profile.Limit) {
	ways, tried := t.bypass(), t.Account()
	var forms []int
	for i, name := range ways.spellings(tried.Email) {
		t.run.secrets.person(name)
		q := t.Login(t.Address(), name, tried.Password)
		q.Label, q.Policy = "right password, the account "+ways.worded(i), ""
		if a := t.Send(q); t.Operation("login").Succeeded(a.Status) && t.opened(a) {
			forms = append(forms, i)
		}
	}
	if len(forms) == 0 {
		t.Note("an account signs in by its one spelling alone")
		return
	}
	victim, from := t.Account(), t.Address() // one whose count is empty
	names, forms := []string{victim.Email}, append([]int{-1}, forms...)
	for _, i := range forms[1:] {
		name := ways.spellings(victim.Email)[i]
		t.run.secrets.person(name)
		names = append(names, name)
	}
	judged, by := 0, map[string]int{}
	for i := range (l.Limit + 1) * len(names) {
		if l.By != profile.ByPair {
			from = t.Address()
		}
		a := t.Guess(from, names[i%len(names)])
		r := t.read("login", a)
		if r == profile.Refused {
			break
		}
		if r == profile.Granted { // it is not the spelling
			t.WantWrong("login", a)
			return
		}
		judged++
		by[ways.worded(forms[i%len(names)])]++
	}
	t.counts("login", judged <= l.Limit, "%d guesses at one account were judged by %d spellings of its name, want at most %d: %s", judged, len(names), l.Limit, counted(by))
}

func hangingUp(t *T) {
	from, email, limit := t.Address(), unknownAccount(), t.Limit("login").Limit
	other := t.plain()
	alone := t.Guess(other, unknownAccount())
	if !t.WantWrong("login", alone) {
		return
	}
	// Long enough for the attempt to begin, too short for it to be answered.
	pause := max(2*time.Millisecond, alone.Done.Sub(alone.Sent)*2/3)
	for range limit + 1 {
		t.hangUp(t.Login(from, email, wrongPassword()), pause)
		t.sleep(pause)
	}
	t.sleep(4 * pause)
	a := t.Guess(from, email)
	t.counts("login", t.read("login", a) == profile.Refused, "%v: after %d sign-ins whose client hung up: got %s, want %s", a, limit+1, a.got(), profile.Statuses(t.judge("login").Refused))
}

// hangUp sends a request whole and closes the connection without reading.
func (t *T) hangUp(q Request, pause time.Duration) {
	q = ready(&q)
	a := wire.Answer{Sent: time.Now()}
	conn, lines, err := t.client().Open(t.ctx, q.From)
	if err == nil {
		text := fmt.Sprintf("%s %s%s HTTP/1.1\r\n%sContent-Length: %d\r\n", q.Method, wire.Prefix(t.target.URL), q.Path, lines, len(q.Body))
		for name, vs := range q.Header {
			for _, v := range vs {
				text += name + ": " + v + "\r\n"
			}
		}
		_, err = conn.Write(append([]byte(text+"\r\n"), q.Body...))
		t.sleep(pause)
		_ = conn.Close() // what this probe is about
	}
	a.Done, a.Err = time.Now(), err
	q.Label = "sign-in, hung up"
	t.record(q, a)
	t.run.see(t.target, &wire.Seen{Step: q.Label, From: q.From, User: q.User, Policy: q.Policy, Sent: a.Sent, Done: a.Done, Limit: -1, Remaining: -1, RetryAfter: -1})
}
